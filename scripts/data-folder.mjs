/** Where everything is kept when nobody says. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { canEnter, chooseUser, isRoot, SYSTEM_FOLDER } from './postgres-files.mjs';
import { Sentence } from './sentence.mjs';

/**
 * `DATA_DIR`, or `.data` in the checkout. Root whose checkout lies under a closed folder (such as /root) gets a folder of its own
 * under /var/lib/satchel instead, because PostgreSQL runs there as another user; `reason` then says so.
 * @param {{ root: string, given: string | undefined, embedded: boolean }} options `embedded`: PostgreSQL will live there too
 * @returns {{ folder: string, reason: string | null }}
 */
export function chooseDataFolder({ root, given, embedded }) {
  if (given?.trim()) return { folder: path.resolve(root, given.trim()), reason: null };
  const folder = path.join(root, '.data');
  if (!embedded || canEnter(root, chooseUser(path.join(folder, 'postgres', 'cluster')))) return { folder, reason: null };
  const mark = createHash('sha256').update(root).digest('hex').slice(0, 8);
  return {
    folder: path.join(SYSTEM_FOLDER, `${path.basename(root)}-${mark}`),
    reason: `${root} is closed to the user PostgreSQL runs as, so files are kept elsewhere; DATA_DIR=/path changes that`,
  };
}

/** @param {string} folder made when absent; nobody else may look into it, only PostgreSQL's user passes through when we are root */
export function makeDataFolder(folder) {
  try {
    if (fs.existsSync(folder)) fs.accessSync(folder, fs.constants.W_OK);
    else fs.mkdirSync(folder, { recursive: true });
    if (fs.readdirSync(folder).length === 0) fs.chmodSync(folder, isRoot ? 0o711 : 0o700);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const why = code === 'ENOSPC' ? 'the disk is full' : code === 'EACCES' || code === 'EROFS' ? 'no permission to write there' : message;
    throw new Sentence(`the data folder ${folder} cannot be used: ${why}. Choose another with DATA_DIR=/path.`);
  }
}
