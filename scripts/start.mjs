/**
 * `npm start`: puts in place what is missing, then becomes the program. It runs in this very
 * process, so signals, exit codes and the terminal are the program's own.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureRedis, ROOT } from './setup.mjs';
import { wantsEmbeddedRedis } from './wants-redis.mjs';

ensureDependencies();
ensureBuild();
const dist = path.join(ROOT, 'dist');
if (await wantsEmbeddedRedis(dist, process.argv.slice(2))) process.env.REDIS_SERVER = ensureRedis();

const cli = path.join(dist, 'cli.js');
process.argv[1] = cli;
await import(pathToFileURL(cli).href);
