import { z } from 'zod';
import type { DeviceId, NamespaceId, UserId } from '../model/ids';
import { DEVICE_NAME_CHARACTERS_MAX, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN, USER_NAME_CHARACTERS_MAX } from '../model/limits';
import { uuidOf } from './commit';

const email = z.string().trim().toLowerCase().max(254).pipe(z.email());
const newPassword = z.string().min(PASSWORD_CHARACTERS_MIN).max(PASSWORD_CHARACTERS_MAX);

/** `deviceId` is made by the browser profile once and kept; `deviceName` is what a person recognises (“Chrome on Windows”). */
const device = {
  deviceId: uuidOf<DeviceId>(),
  deviceName: z.string().trim().min(1).max(DEVICE_NAME_CHARACTERS_MAX),
};

export const signUpSchema = z.object({
  email,
  name: z.string().trim().min(1).max(USER_NAME_CHARACTERS_MAX),
  password: newPassword,
  ...device,
});
export type SignUp = z.infer<typeof signUpSchema>;

export const signInSchema = z.object({ email, password: z.string().min(1).max(PASSWORD_CHARACTERS_MAX), ...device });
export type SignIn = z.infer<typeof signInSchema>;

export const passwordChangeSchema = z.object({ oldPassword: z.string().min(1).max(PASSWORD_CHARACTERS_MAX), newPassword });
export type PasswordChange = z.infer<typeof passwordChangeSchema>;

export const deviceRenameSchema = z.object({ name: device.deviceName });
export type DeviceRename = z.infer<typeof deviceRenameSchema>;

/** The signed-in person. Answer of sign-up, sign-in and GET me. */
export interface Me {
  readonly userId: UserId;
  readonly email: string;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly deviceId: DeviceId;
  readonly rootNamespaceId: NamespaceId;
}

export interface DeviceView {
  readonly id: DeviceId;
  readonly name: string;
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly current: boolean;
}

export interface ServerInfo {
  readonly version: string;
  readonly signUp: 'open' | 'closed';
  /** True until the first account exists; that account becomes administrator even when sign-up is closed. */
  readonly firstAccount: boolean;
}
