import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Endpoint } from '../../src/upstream/endpoint.ts';
import { Lane } from '../../src/upstream/lane.ts';

/** @returns the port of a server that says `text` to whoever comes, and then ends */
async function speaker(text: string): Promise<number> {
  const server = net.createServer((socket) => socket.end(text));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}

test('what a lane receives is its own, and keeps nothing else in memory', async () => {
  const port = await speaker('+OK\r\n');
  const target = { kind: 'tcp', host: '127.0.0.1', port, db: 0 } as const;
  const endpoint = new Endpoint({ ...target, user: undefined, password: undefined });
  const hear = () =>
    new Promise<Buffer>((resolve) => {
      const chunks: Buffer[] = [];
      const closed = () => resolve(chunks[0] as Buffer);
      const received = (chunk: Buffer) => void chunks.push(chunk);
      new Lane(endpoint, { received, drained: () => {}, closed });
    });
  const [one, other] = [await hear(), await hear()];
  expect([String(one), String(other)]).toEqual(['+OK\r\n', '+OK\r\n']);
  expect([one, other].map(({ buffer }) => buffer.byteLength)).toEqual([5, 5]);
});
