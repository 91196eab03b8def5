import { conformance } from './scenario.ts';
import { THEMES } from './themes.ts';

for (const theme of THEMES) conformance(theme);
