// The files of a folder, read once.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

// Maps a path such as `/app.js` to its bytes, type and entity tag.
export async function readFiles(folder) {
  const files = new Map();
  for (const name of await readdir(folder)) {
    const body = await readFile(new URL(name, folder));
    const type = TYPES[name.slice(name.lastIndexOf("."))];
    if (!type) throw new Error(`${name} has no known type`);
    const digest = createHash("sha256").update(body).digest("base64url");
    files.set(`/${name}`, { body, type, tag: `"${digest}"` });
  }
  files.set("/", files.get("/index.html"));
  return files;
}
