import { NAME_BYTES_MAX } from '../model/limits';
import { splitExtension } from '../model/names';

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Milliseconds since 1970 UTC as YYYY-MM-DD (UTC), without the platform's calendar. */
export function isoDay(milliseconds: number): string {
  // Civil-from-days: years that begin in March put the leap day last, so that one formula does for all months.
  const days = Math.floor(milliseconds / 86_400_000) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** The name of a conflict copy: `report (conflicted copy, DEVICE, YYYY-MM-DD).txt`, never longer than NAME_BYTES_MAX. Characters of the device's name that no file name may hold become spaces. */
export function conflictName(name: string, deviceName: string, at: number): string {
  const { stem, extension } = splitExtension(name);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced.
  const device = Array.from(deviceName.replace(/[/\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, ' ').trim())
    .slice(0, 40)
    .join('');
  const suffix = ` (conflicted copy, ${device === '' ? 'unknown device' : device}, ${isoDay(at)})${extension}`.normalize('NFC');
  let kept = Array.from(stem);
  while (kept.length > 1 && utf8Length(kept.join('') + suffix) > NAME_BYTES_MAX) kept = kept.slice(0, -1);
  return kept.join('') + suffix;
}
