/**
 * A bare TCP pipe in Node: the least that a proxy written for Node can cost. It looks at no byte.
 * Usage: node pipe.mjs UPSTREAM_PORT. It listens on a free port, which it prints.
 */
import net from 'node:net';

const upstreamPort = Number(process.argv[2]);
const server = net.createServer({ noDelay: true }, (client) => {
  const upstream = net.connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true });
  const join = (from, to) => {
    from.on('data', (bytes) => to.write(bytes) || from.pause());
    from.on('close', () => to.destroy());
    from.on('drain', () => to.resume());
    from.on('error', () => {}); // 'close' follows
  };
  join(client, upstream);
  join(upstream, client);
});
server.listen(0, '127.0.0.1', 2_048, () => console.log(`listening on ${server.address().port}`));
