// The switches of the models, as their files say: bounds, which say how far a search goes, and rules, each of which keeps
// a flaw out.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'

export const models = ['lease', 'debts', 'swap'] as const
export type Model = (typeof models)[number]

export interface Switch {
  readonly name: string
  readonly kind: 'bound' | 'rule'
  readonly usual: string
  readonly means: string
}

export function switchesOf(model: Model): readonly Switch[] {
  const text = readFileSync(join(packageRoot(), 'model', `${model}.pml`), 'utf8')
  const lines = text.matchAll(/^#ifndef (\w+)\n#define \1 (\w+) *\/\* (bound|rule): (.*) \*\/$/gm)
  return [...lines].map(([, name, usual, kind, means]) => ({
    name: name!,
    kind: kind as Switch['kind'],
    usual: usual!,
    means: means!,
  }))
}
