'use client';
import { Laptop, Pencil, Smartphone } from 'lucide-react';
import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { toast } from 'sonner';
import { devices as readDevices, renameDevice, revokeDevice } from '@/lib/sync/adapters/browser/account-client';
import { DEVICE_NAME_CHARACTERS_MAX } from '@/lib/sync/model/limits';
import type { DeviceView } from '@/lib/sync/protocol/accounts';
import { ERRORS, type ErrorCode } from '@/lib/sync/protocol/error-codes';
import { formatAgo, formatMoment } from '../pure/format';
import { Button, IconButton } from '../ui/button';
import { Empty } from '../ui/empty';
import { Field } from '../ui/field';
import { Confirm, Modal } from '../ui/modal';
import { Heading } from './heading';

const sentence = (code: ErrorCode | 'offline'): string =>
  code === 'offline' ? 'The server cannot be reached at the moment.' : ERRORS[code].sentence;

/** Where this account is signed in; any of them can be signed out at once. */
export function DevicesView() {
  const [list, setList] = useState<readonly DeviceView[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<DeviceView | null>(null);
  const [naming, setNaming] = useState<DeviceView | null>(null);
  const load = useCallback(async (): Promise<void> => {
    const reply = await readDevices();
    if (reply.ok) setList([...reply.value].sort((a, b) => Number(b.current) - Number(a.current) || b.lastSeenAt - a.lastSeenAt));
    setProblem(reply.ok ? null : sentence(reply.code));
  }, []);
  useEffect(() => void load(), [load]);
  const revoke = async (device: DeviceView): Promise<void> => {
    setRevoking(null);
    const reply = await revokeDevice(device.id);
    if (reply.ok) toast(`“${device.name}” is signed out.`);
    else toast.error(sentence(reply.code));
    await load();
  };
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-8">
      <Heading title="Devices" note="Every browser you are signed in with" />
      {list === null && problem !== null && (
        <Empty icon={Smartphone} title="The list is on the server" actions={<Button onClick={() => void load()}>Try again</Button>}>
          {problem}
        </Empty>
      )}
      <ul className="mx-5 flex max-w-2xl flex-col gap-2 phone:mx-3">
        {list?.map((device) => (
          <li key={device.id} className="flex items-center gap-3.5 rounded-lg border border-line bg-raised px-4 py-3">
            {/phone|android|ios|iphone/i.test(device.name) ? (
              <Smartphone aria-hidden className="size-5 shrink-0 text-ink-3" />
            ) : (
              <Laptop aria-hidden className="size-5 shrink-0 text-ink-3" />
            )}
            <div className="min-w-0 flex-1">
              <p className="flex items-center gap-2 font-medium">
                <span className="truncate">{device.name}</span>
                {device.current && <span className="shrink-0 rounded-full bg-good-soft px-2 text-good text-xs">This device</span>}
              </p>
              <p className="truncate text-ink-3 text-sm" title={`Signed in ${formatMoment(device.createdAt)}`}>
                {device.current ? 'Active now' : `Last seen ${formatAgo(device.lastSeenAt, Date.now())}`}
              </p>
            </div>
            <IconButton label={`Rename ${device.name}`} onClick={() => setNaming(device)}>
              <Pencil aria-hidden />
            </IconButton>
            {!device.current && (
              <Button aria-label={`Revoke ${device.name}`} onClick={() => setRevoking(device)}>
                Revoke
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Confirm
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        title={`Sign out “${revoking?.name ?? ''}”?`}
        actions={
          <Button look="danger" onClick={() => revoking && void revoke(revoking)}>
            Sign out
          </Button>
        }
      >
        It loses access at once. What it has not sent yet stays on it until somebody signs in there again.
      </Confirm>
      <RenameDevice
        device={naming}
        onClose={(renamed) => {
          setNaming(null);
          if (renamed) void load();
        }}
      />
    </div>
  );
}

function RenameDevice({ device, onClose }: { readonly device: DeviceView | null; readonly onClose: (renamed: boolean) => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    setName(device?.name ?? '');
    setProblem(null);
  }, [device]);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (device === null) return;
    if (name.trim() === '') {
      setProblem('A name needs at least one character.');
      return;
    }
    const reply = await renameDevice(device.id, name.trim());
    if (reply.ok) onClose(true);
    else setProblem(sentence(reply.code));
  };
  return (
    <Modal open={device !== null} onClose={() => onClose(false)} title="Rename device">
      <form onSubmit={(event) => void save(event)} className="flex flex-col gap-4">
        <Field
          label="Name of the device"
          value={name}
          maxLength={DEVICE_NAME_CHARACTERS_MAX}
          problem={problem}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" look="primary" className="self-end">
          Save
        </Button>
      </form>
    </Modal>
  );
}
