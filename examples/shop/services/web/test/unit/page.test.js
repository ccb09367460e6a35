import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PUBLIC = new URL("../../public/", import.meta.url);
const VOID = new Set(["meta", "link", "input", "!doctype"]);
const html = readFileSync(new URL("index.html", PUBLIC), "utf8");

function attributes(name) {
  return [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, "g"))].map((match) => match[1]);
}

test("every element of the page is closed in its place", () => {
  const open = [];
  for (const [, end, name] of html.matchAll(/<(\/?)([a-z0-9!]+)[^>]*>/gi)) {
    if (end) assert.equal(open.pop(), name);
    else if (!VOID.has(name.toLowerCase())) open.push(name);
  }
  assert.deepEqual(open, []);
});

test("ids are unique, and labels and titles name one", () => {
  const ids = attributes("id");
  assert.equal(new Set(ids).size, ids.length);
  for (const id of [...attributes("for"), ...attributes("aria-labelledby")]) assert.ok(ids.includes(id), id);
});

test("what the script looks up is in the page", () => {
  const script = readFileSync(new URL("app.js", PUBLIC), "utf8");
  const wanted = [...script.matchAll(/\$\("([^"]+)"\)/g)].map((match) => match[1]);
  assert.ok(wanted.length > 0);
  for (const id of wanted) assert.ok(attributes("id").includes(id), id);
});

test("what the page refers to is there", () => {
  const files = readdirSync(PUBLIC).map((name) => `/${name}`);
  for (const path of [...attributes("href"), ...attributes("src")]) assert.ok(files.includes(path), path);
});

for (const name of readdirSync(PUBLIC).filter((each) => each.endsWith(".js"))) {
  test(`${name} is a script`, () => {
    execFileSync(process.execPath, ["--check", fileURLToPath(new URL(name, PUBLIC))]);
  });
}
