// What is looked at on every page, and the count of it.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { LOOKS } from "./looks.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Rules that axe may leave to a human eye. */
const UNDECIDED = [];

export const tally = { passed: 0, failed: 0 };
let shots = null;

/** A picture of every page goes into this folder. */
export function keepShots(folder) {
  mkdirSync(folder, { recursive: true });
  shots = folder;
}

/** A picture of a page, where they are kept. */
export async function shoot(page, name) {
  if (!shots) return;
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

export async function check(name, work) {
  try {
    await work();
    tally.passed += 1;
    console.log(`ok ${name}`);
  } catch (error) {
    tally.failed += 1;
    console.log(`not ok ${name}: ${error.message}`);
  }
}

export function expect(what, text) {
  if (!what) throw new Error(text);
}

/** Everything that must hold of whatever page is open. */
export async function examine(page, look, name) {
  await judge(page, look, name);
  // Last: a picture of a whole page changes the screen that chromium is told of, and later pages with it. Nothing is judged
  // by a run that takes pictures.
  await shoot(page, `${name}-${look}`);
}

async function judge(page, look, name) {
  await check(`${name} [${look}] does not scroll sideways`, async () => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide <= 0, `${wide} px too wide`);
  });
  await check(`${name} [${look}] has one heading, a title and controls that can be hit`, async () => {
    expect((await page.locator("h1").count()) === 1, "one h1");
    expect(/ · /.test(await page.title()), `title: ${await page.title()}`);
    const least = LOOKS[look].hasTouch ? 44 : 24;
    const small = await page.$$eval("a, button, input:not([type=hidden]), summary", (all, least) => all
      .map((one) => [one.closest("label") ?? one, one])
      .map(([box, one]) => [box.getBoundingClientRect(), one])
      .filter(([box, one]) => box.width > 0 && !one.matches(".skip") && !(one.matches("p a")) && (box.height < least || box.width < 24))
      .map(([box, one]) => `${one.outerHTML.slice(0, 80)} is ${Math.round(box.width)}×${Math.round(box.height)}`), least);
    expect(small.length === 0, small.join("; "));
  });
  if (LOOKS[look].javaScriptEnabled === false) return;
  await check(`${name} [${look}] axe`, async () => {
    await page.evaluate(axe);
    const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags, resultTypes: ["violations", "incomplete"] }), TAGS);
    const told = (list) => list.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 100)).join(" | ")}`);
    const open = found.incomplete.filter((one) => !UNDECIDED.includes(one.id));
    expect(found.violations.length === 0, told(found.violations).join("; "));
    expect(open.length === 0, `undecided: ${told(open).join("; ")}`);
  });
  await check(`${name} [${look}] keyboard`, async () => {
    await page.evaluate(() => { document.activeElement?.blur(); });
    const count = await page.locator("a:visible, button:visible, input:visible, summary:visible").count();
    for (let i = 0; i < Math.min(count, 40); i += 1) {
      await page.keyboard.press("Tab");
      const seen = await page.evaluate(() => {
        const one = document.activeElement;
        if (!one || one === document.body) return "";
        const style = getComputedStyle(one);
        const box = one.getBoundingClientRect();
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        const covered = box.width > 0 && !(top && (one.contains(top) || top.contains(one)));
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        return (outlined ? "" : `no outline on ${one.outerHTML.slice(0, 80)} `) + (covered ? `covered: ${one.outerHTML.slice(0, 80)}` : "");
      });
      expect(seen === "", seen);
    }
  });
  if (LOOKS[look].viewport.width > 400 && look === "light") {
    await check(`${name} [${look}] text of twice the size`, async () => {
      await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
      expect(wide <= 0, `${wide} px too wide`);
    });
  }
}
