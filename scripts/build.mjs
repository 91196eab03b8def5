/** `npm run build`: makes `dist/` from nothing, needed or not. */
import { build, ensureDependencies } from './setup.mjs';

ensureDependencies();
build();
