import { bulk } from '../resp/write.ts';
import type { Target, Tracker } from '../tracking/tracker.ts';

/** @returns a bulk or verbatim string with its text changed; other replies as they are */
function withText(reply: Buffer, change: (text: string) => string): Buffer {
  const head = /^([$=])\d+\r\n(txt:)?/.exec(reply.toString('latin1', 0, 32));
  if (head === null) return reply;
  const [start = '', type = '', format = ''] = head;
  const text = change(reply.toString('latin1', start.length, reply.length - 2));
  return Buffer.from(`${type}${format.length + text.length}\r\n${format}${text}\r\n`, 'latin1');
}

/**
 * @param reply of INFO, whole
 * @returns it with our numbers in place of upstream's; servers before 6.0 have no such fields, so
 *          there they are added where Redis has them
 */
export function patchInfo(reply: Buffer, tracker: Tracker): Buffer {
  return withText(reply, (text) => {
    const stats = [
      ['tracking_total_keys', tracker.keyCount],
      ['tracking_total_items', tracker.itemCount],
      ['tracking_total_prefixes', tracker.prefixCount],
    ] as const;
    let patched = setField(
      text,
      'tracking_clients',
      tracker.trackingCount,
      /^blocked_clients:.*\r\n/m,
    );
    for (const [name, value] of stats) {
      patched = setField(patched, name, value, /^# Stats\r\n(?:[^#\r\n].*\r\n)*/m);
    }
    return patched;
  });
}

/** @param behind what the field follows where it has to be added */
function setField(text: string, name: string, value: number, behind: RegExp): string {
  const field = new RegExp(`^${name}:.*\\r\\n`, 'm');
  const line = `${name}:${value}\r\n`;
  if (field.test(text)) return text.replace(field, line);
  return text.replace(behind, (before) => before + line);
}

/** The letters of `flags=` in the order in which Redis writes them. */
const FLAG_ORDER = 'OSMPxbtRBdcuAUreT';

/**
 * @param reply  of CLIENT LIST or CLIENT INFO, whole
 * @param lookUp finds the tracking of one of our clients by its id
 */
export function patchClients(
  reply: Buffer,
  lookUp: (id: number) => Target['listed'] | undefined,
): Buffer {
  return withText(reply, (text) =>
    text.replace(/^.*?\bid=(\d+) .*$/gm, (line: string, id: string) => {
      const found = lookUp(Number(id));
      return found === undefined || !found.state.on ? line : patchClient(line, found);
    }),
  );
}

function patchClient(line: string, { state, broken }: Target['listed']): string {
  return line
    .replace(/ flags=(\S*)/, (_, letters: string) => {
      const set = new Set(letters.replace('N', ''));
      set.add('t');
      if (broken) set.add('R');
      if (state.bcast) set.add('B');
      const known = [...FLAG_ORDER].filter((letter) => set.delete(letter));
      return ` flags=${known.join('')}${[...set].join('')}`;
    })
    .replace(/ redir=\S*/, ` redir=${state.redirect}`);
}

/** The one setting of tracking. */
export const MAX_KEYS_SETTING = 'tracking-table-max-keys';

/**
 * @param reply of a CONFIG GET that names our setting, whole
 * @returns it with our value in place of upstream's, or added
 */
export function patchMaxKeys(reply: Buffer, value: number): Buffer {
  const text = reply.toString('latin1');
  const pair = bulk(MAX_KEYS_SETTING) + bulk(String(value));
  const name = `(\\$${MAX_KEYS_SETTING.length}\\r\\n${MAX_KEYS_SETTING}\\r\\n)`;
  const theirs = new RegExp(`${name}\\$\\d+\\r\\n\\d+\\r\\n`, 'i'); // the name as it was asked for
  if (theirs.test(text)) {
    const ours = text.replace(theirs, (_, asked: string) => asked + bulk(String(value)));
    return Buffer.from(ours, 'latin1');
  }
  const head = /^([*%])(\d+)\r\n/.exec(text);
  if (head === null) return reply;
  const count = Number(head[2]) + (head[1] === '%' ? 1 : 2);
  return Buffer.from(`${head[1]}${count}\r\n${text.slice(head[0].length)}${pair}`, 'latin1');
}
