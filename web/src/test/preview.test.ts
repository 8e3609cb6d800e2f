import assert from "node:assert/strict";
import { test } from "node:test";
import { pixelsOf, rasterType } from "../ui/preview.tsx";

const hex = (text: string): Uint8Array => Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (two) => parseInt(two, 16));

// The beginnings of pictures of 22000 x 300 pixels.
const PICTURES: Record<string, string> = {
  "image/png": "89504e470d0a1a0a 0000000d 49484452 000055f0 0000012c 0100000000",
  "image/gif": "474946383961 f055 2c01 000000",
  "image/bmp": "424d 00000000 00000000 36000000 28000000 f0550000 d4feffff 0100 1800",
  "image/jpeg": "ffd8 ffe0 0004 4a46 ffff c4 0003 00 ffc2 0011 08 012c 55f0 03",
};

test("the pixels of a picture are known before it is decoded", () => {
  for (const [type, bytes] of Object.entries(PICTURES)) {
    assert.equal(rasterType(hex(bytes)), type);
    assert.equal(pixelsOf(hex(bytes), type), 22_000 * 300, type);
    for (let length = 0; length < 20; length++) assert.ok((pixelsOf(hex(bytes).subarray(0, length), type) ?? 0) >= 0, "cut off");
  }
  // WebP says it in three ways; 800 x 300.
  const riff = "52494646 00000000 57454250";
  for (const rest of ["56503820 00000000 000000 9d012a 2003 2c01", "5650384c 00000000 2f 1fc34a00", "56503858 0a000000 00000000 1f0300 2b0100"]) {
    assert.equal(pixelsOf(hex(riff + rest), "image/webp"), 800 * 300, rest);
  }
});

test("a picture that does not say its size is none", () => {
  assert.equal(pixelsOf(hex("ffd8 ffe0 0000 0000 00"), "image/jpeg"), undefined);
  assert.equal(pixelsOf(hex("ffd8 ffda"), "image/jpeg"), undefined);
  assert.equal(pixelsOf(hex("52494646 00000000 57454250 41414141 00000000"), "image/webp"), undefined);
});
