import { closeSync, openSync, readSync } from 'node:fs';
import { ProxyError } from './errors.ts';
import type { Setting } from './settings.ts';

/** Longest file of settings, or of a password, in bytes. Source: our choice. */
const FILE_MAX_BYTES = 65_536;

/**
 * Reads a short text whole. It may be a pipe, as a shell makes one of `<(command)`.
 *
 * @param path where it is, from the working directory
 * @param name the setting that names it, for the message
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readSmallFile(path: string, name: string): string {
  const refuse = (why: string, cause?: unknown) =>
    new ProxyError('CONFIG_INVALID', `${name}: cannot read '${path}': ${why}`, { cause });
  if (path === '') throw new ProxyError('CONFIG_INVALID', `${name}: names no file`);
  let size = 0;
  const bytes = Buffer.alloc(FILE_MAX_BYTES + 1);
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && size < bytes.length; size += read) {
        read = readSync(file, bytes, size, bytes.length - size, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw refuse(reasonOf(cause as NodeJS.ErrnoException), cause);
  }
  if (size > FILE_MAX_BYTES) throw refuse(`it is longer than ${FILE_MAX_BYTES} bytes`);
  return bytes.toString('utf8', 0, size);
}

/**
 * Reads a file that holds a password, and nothing else but perhaps the end of its line.
 *
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readPassword({ text: path, name }: Setting): string {
  const password = readSmallFile(path, name).replace(/\r?\n$/, '');
  if (password !== '') return password;
  throw new ProxyError('CONFIG_INVALID', `${name}: '${path}' is empty`);
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const reasons: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
  };
  return reasons[error.code ?? ''] ?? error.message;
}
