import type { ReplyReader } from '../../src/client/replies.ts';

/** Pushes `bytes` as soon as no reply is half sent, behind those that wait already. */
export function pushTo(reader: ReplyReader, bytes: Buffer): void {
  if (!reader.midReply) {
    reader.push(bytes);
    return;
  }
  reader.whenBetween({ betweenReplies: () => reader.push(bytes) });
}
