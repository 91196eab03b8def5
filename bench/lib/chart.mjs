/** Bar charts as SVG. */

const WIDTH = 860;
const MARGIN = 20;
const LABELS_WIDTH = 265;
const NUMBERS_WIDTH = 70;
const BAR_HEIGHT = 13;
const GROUP_GAP = 11;
const TITLE_HEIGHT = 48;
const LEGEND_HEIGHT = 34;
const FONT = 'font-family="system-ui, sans-serif"';

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {string} subtitle
 * @property {readonly { name: string, bars: readonly Bar[] }[]} groups
 * @property {number} [mark] a line is drawn at this value
 */

/**
 * @typedef {object} Bar
 * @property {string} series
 * @property {number} value
 * @property {string} text what stands beside the bar
 */

/**
 * @param {readonly Panel[]} panels one below the other
 * @param {Record<string, string>} palette the colour of each series, in the order of the legend
 * @returns {string} an SVG document
 */
export function barCharts(panels, palette) {
  const drawn = new Set(
    panels.flatMap(({ groups }) => groups.flatMap(({ bars }) => bars.map(nameOf))),
  );
  const colours = new Map(Object.entries(palette).filter(([name]) => drawn.has(name)));
  const parts = [legend(colours)];
  let y = MARGIN + LEGEND_HEIGHT;
  for (const panel of panels) {
    parts.push(`<g transform="translate(0 ${y})">`, ...drawPanel(panel, colours), '</g>');
    y += panelHeight(panel);
  }
  const height = y + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ${FONT} font-size="12" fill="#1f2933">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function nameOf({ series }) {
  return series;
}

function legend(colours) {
  const width = (WIDTH - 2 * MARGIN) / colours.size;
  const entries = [...colours].map(([name, colour], index) => {
    const x = MARGIN + index * width;
    const square = `<rect x="${x}" y="${MARGIN}" width="12" height="12" fill="${colour}"/>`;
    return `${square}<text x="${x + 18}" y="${MARGIN + 10.5}">${escaped(name)}</text>`;
  });
  return entries.join('\n');
}

function panelHeight({ groups }) {
  const heights = groups.map(({ bars }) => bars.length * BAR_HEIGHT + GROUP_GAP);
  return TITLE_HEIGHT + heights.reduce((sum, height) => sum + height, 0) + MARGIN;
}

function drawPanel(panel, colours) {
  const { title, subtitle, groups, mark } = panel;
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const room = WIDTH - 2 * MARGIN - LABELS_WIDTH - NUMBERS_WIDTH;
  const scale = room / Math.max(mark ?? 0, ...values);
  const left = MARGIN + LABELS_WIDTH;
  const parts = [
    `<text x="${MARGIN}" y="14" font-size="15" font-weight="600">${escaped(title)}</text>`,
    `<text x="${MARGIN}" y="31" fill="#52606d">${escaped(subtitle)}</text>`,
  ];
  let y = TITLE_HEIGHT;
  for (const { name, bars } of groups) {
    const middle = y + (bars.length * BAR_HEIGHT) / 2 + 4;
    parts.push(`<text x="${left - 10}" y="${middle}" text-anchor="end">${escaped(name)}</text>`);
    for (const { series, value, text } of bars) {
      const width = Math.max(1, value * scale).toFixed(1);
      const colour = colours.get(series);
      parts.push(
        `<rect x="${left}" y="${y}" width="${width}" height="${BAR_HEIGHT - 2}" fill="${colour}"/>`,
        `<text x="${(left + Number(width) + 5).toFixed(1)}" y="${y + 9.5}" font-size="10">${escaped(text)}</text>`,
      );
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP;
  }
  if (mark !== undefined) {
    const x = (left + mark * scale).toFixed(1);
    const line = `x1="${x}" y1="${TITLE_HEIGHT - 4}" x2="${x}" y2="${y - GROUP_GAP + 2}"`;
    parts.push(`<line ${line} stroke="#1f2933" stroke-dasharray="3 3"/>`);
  }
  return parts;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
