import type { Act, RestorePointRef, Step } from '../act.js'
import { list } from './list.js'

/** Puts a release's files in place, each by rename; the undo puts back what the safety restore point holds. */
export function putFiles(input: {
  readonly release: string
  readonly sha256: string
  readonly paths: readonly string[]
  /** Undone behind the files: what is made from them. */
  readonly madeFrom?: readonly Act[]
}): Step {
  const { madeFrom = [], ...args } = input
  const title = `put ${input.paths.length} ${input.paths.length === 1 ? 'file' : 'files'} of the release in place`
  return { act: { name: 'putFiles', title, args }, undo: [putBack, ...madeFrom], commit: false }
}

/** Puts the files of a restore point back, and removes those that did not exist then. */
export function restoreFiles(input: {
  readonly from: RestorePointRef
  readonly secrets: 'keep' | 'restore'
  readonly only?: readonly string[]
  readonly madeFrom?: readonly Act[]
}): Step {
  const { madeFrom = [], ...args } = input
  const what = input.only ? list(input.only) : 'the files'
  const only = input.only ? { only: input.only } : {}
  return {
    act: { name: 'restoreFiles', title: `put ${what} of ${input.from} back`, args },
    undo: [{ ...putBack, args: { ...putBack.args, ...only } }, ...madeFrom],
    commit: false,
  }
}

const putBack: Extract<Act, { readonly name: 'restoreFiles' }> = {
  name: 'restoreFiles',
  title: 'put the files back as they were',
  args: { from: 'safety', secrets: 'restore' },
}
