import Bowser from 'bowser';
import { DEVICE_NAME_CHARACTERS_MAX } from '../../model/limits';

/** What a person would call this installation: “Chrome on Windows”, “Firefox on Android phone”. */
export function deviceNameGuess(userAgent: string = navigator.userAgent): string {
  const { browser, os, platform } = Bowser.parse(userAgent);
  const product = browser.name?.replace(/^Microsoft /, '') ?? 'Browser';
  if (/iPad|iPhone|iPod/.test(userAgent)) return `${product} on ${/iPad/.test(userAgent) ? 'iPad' : 'iPhone'}`;
  const system = os.name ?? 'unknown system';
  const kind = platform.type === 'mobile' ? ' phone' : platform.type === 'tablet' ? ' tablet' : '';
  return `${product} on ${system}${kind}`.slice(0, DEVICE_NAME_CHARACTERS_MAX);
}
