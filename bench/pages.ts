// The pages that operators type from, and the commands that they show: each is run by an end-to-end test, and measured.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'

export const runbook = 'docs/ROLLBACK.md'
export const operatorPages: readonly string[] = [runbook, 'docs/DEPLOYMENT.md']

export function readPage(path: string): string {
  return readFileSync(join(packageRoot(), path), 'utf8')
}

/** Every command of a page as a shell gets it, in their order and each once; a reason counts as no other command. */
export function commandsOf(markdown: string): string[] {
  const found = new Map<string, string>()
  for (const command of [...inBlocks(markdown), ...inText(markdown)]) {
    const known = found.get(formOf(command))
    // A reason that somebody wrote out is better to type than one that is left open.
    if (known === undefined || known === formOf(command)) found.set(formOf(command), command)
  }
  return [...found.values()]
}

/** The same for commands that differ in nothing but their reason. */
export function formOf(command: string): string {
  return command.replace(/(--reason|"reason":) ?"[^"]*"/, '$1 "…"')
}

/** The rows of the quick reference: a command, and how long it takes as the page says. */
export function quickReference(markdown: string): readonly { readonly command: string; readonly takes: string }[] {
  const [, table = ''] = /\n## Quick reference\n\n((?:\|.*\n)+)/.exec(markdown) ?? []
  return table.split('\n').flatMap((line) => {
    const [, , cell = '', takes = ''] = line.split(/(?<!\\)\|/).map((it) => it.trim())
    const [, command] = /`([^`]+)`/.exec(cell) ?? []
    return command === undefined ? [] : [{ command, takes }]
  })
}

/** As a shell splits it, where nothing but `"` quotes. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
}

/** Files and directories that a page names, with what is left open in them. */
export function filesOf(markdown: string): string[] {
  const names = spansOf(markdown).filter((it) => /^[\w.<>*/-]+$/.test(it) && !it.startsWith('-'))
  return [...new Set(names.filter((it) => /\/|\*$|^\.\w|\.(?:ya?ml|json|jsonl|log|sh|gz|sql|txt)$/.test(it)))]
}

const programs = /^(?:stepback|temporal|tctl|docker|sh|cp|rm|df|free|tar|find) /
/** What the pages warn of. */
const never = /^docker (?:system|volume) prune$/

/** Indented by four; what ends with a backslash goes on in the next line. */
function inBlocks(markdown: string): string[] {
  const block = [...markdown.matchAll(/^ {4,}(\S(?:\\\n|.)*)$/gm)].map(([, text]) => text!)
  return block
    .map((text) => text.replaceAll(/ *\\\n */g, ' ').replace(/ {2,}#.*$/, ''))
    .filter((text) => programs.test(text))
}

function inText(markdown: string): string[] {
  return spansOf(markdown).filter((it) => programs.test(it) && !never.test(it))
}

/** Code within the text. */
function spansOf(markdown: string): string[] {
  const spans = [...markdown.replaceAll(/^ {4,}.*$/gm, '').matchAll(/`([^`]+)`/g)]
  return spans.map(([, text]) => text!.replaceAll(/\s*\n\s*/g, ' '))
}
