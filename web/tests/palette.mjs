// Makes a PNG of at most 256 colours of one of 24 or 32 bits: a third of its size, and pages have few colours.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The pixels of a PNG as Chromium makes them: 8 bits, RGB or RGBA, not interlaced. */
function decode(png) {
  let width = 0;
  let height = 0;
  let channels = 0;
  const data = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      channels = { 2: 3, 6: 4 }[body[9]];
      if (body[8] !== 8 || !channels || body[12] !== 0) throw new Error("no PNG of the kind that Chromium makes");
    } else if (kind === "IDAT") data.push(body);
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const place = y * stride + x;
      const left = x >= channels ? pixels[place - channels] : 0;
      const up = y > 0 ? pixels[place - stride] : 0;
      const corner = x >= channels && y > 0 ? pixels[place - stride - channels] : 0;
      const estimate = left + up - corner;
      const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
      const add = [0, left, up, (left + up) >> 1, a <= b && a <= c ? left : b <= c ? up : corner][filter];
      pixels[place] = raw[y * (stride + 1) + 1 + x] + add;
    }
  }
  return { width, height, channels, pixels };
}

const table = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function chunk(kind, body) {
  const content = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  let sum = 0xffffffff;
  for (const byte of content) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
  const whole = Buffer.alloc(content.length + 8);
  whole.writeUInt32BE(body.length, 0);
  content.copy(whole, 4);
  whole.writeUInt32BE((sum ^ 0xffffffff) >>> 0, content.length + 4);
  return whole;
}

/** The same picture by a palette: the 256 colours that are most seen, and for every other the nearest of them. */
export function withPalette(png) {
  const { width, height, channels, pixels } = decode(png);
  const seen = new Map();
  const colours = new Uint32Array(width * height);
  for (let pixel = 0; pixel < colours.length; pixel++) {
    const at = pixel * channels;
    const colour = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
    colours[pixel] = colour;
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  // After those, what is far from all that is taken, so that a picture with many shades gets its share.
  const left = [...seen].sort((one, other) => other[1] - one[1]);
  // What is seen most is the page itself, and stays as it is.
  const palette = left.slice(0, 96).map(([colour]) => colour);
  for (const near of [900, 300, 100, 0]) {
    for (const [colour] of left) {
      if (palette.length === 256) break;
      if (!palette.some((taken) => distance(taken, colour) <= near)) palette.push(colour);
    }
  }
  const nearest = new Map(palette.map((colour, index) => [colour, index]));
  for (const [colour] of left) {
    if (nearest.has(colour)) continue;
    let best = 0;
    for (let index = 1; index < palette.length; index++) if (distance(palette[index], colour) < distance(palette[best], colour)) best = index;
    nearest.set(colour, best);
  }
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = nearest.get(colours[y * width + x]);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const entries = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", entries), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

function distance(one, other) {
  const red = (one >> 16) - (other >> 16);
  const green = ((one >> 8) & 255) - ((other >> 8) & 255);
  const blue = (one & 255) - (other & 255);
  return red * red + green * green + blue * blue;
}
