// The question at a gate: what is answered by which words, and that it is withdrawn when somebody else was faster.

import { beforeEach, expect, test } from 'vitest'
import { person } from '../../src/cli/person.js'
import { Question } from '../../src/cli/question.js'
import { StepbackError } from '../../src/plan/failure.js'
import type { Progress } from '../../src/plan/progress.js'
import { lossGate, progress, silentIo } from './support.js'

const by = person()
const gate = progress(lossGate)
const failing = progress({ gate: { asks: 'resolve', why: 'stop api: no answer', until: '' } })
let sent: [string, unknown][]
let asked: { readonly text: string; readonly withdrawn: AbortSignal | undefined; answer: (words: string) => void }[]
let refuses: string | undefined
let held: string[]

beforeEach(() => {
  sent = []
  asked = []
  held = []
  refuses = undefined
})

function question() {
  const send = (name: string) => async (_run: string, answer: unknown) => {
    if (refuses !== undefined) throw new StepbackError({ type: 'ApprovalRefused', message: refuses })
    sent.push([name, answer])
    return { how: 'update', text: 'taken' } as const
  }
  const client = { approve: send('approve'), reject: send('reject'), resolve: send('resolve') }
  const ask = (text: string, withdrawn?: AbortSignal) =>
    new Promise<string>((answer) => {
      asked.push({ text, withdrawn, answer })
      withdrawn?.addEventListener('abort', () => answer(''))
    })
  const view = { hold: () => held.push('held'), release: () => held.push('released') }
  const io = { ...silentIo(), ask }
  return { io, question: new Question({ io, view, client, run: 'rollback-aria-1' }) }
}

async function answered(about: Progress, words: string): Promise<string[]> {
  const { io, question: it } = question()
  it.see(about)
  it.see(about)
  await expect.poll(() => asked.length).toBe(1)
  asked[0]!.answer(words)
  await expect.poll(() => held).toEqual(['held', 'released'])
  it.see(about)
  await it.end()
  expect(asked.length).toBe(1)
  return io.said
}

test.each([
  ['y', gate, ['approve', { by, digest: 'sha256:3fa94c2100000000' }]],
  [' YES ', gate, ['approve', { by, digest: 'sha256:3fa94c2100000000' }]],
  ['n', gate, ['reject', { by }]],
  ['retry', failing, ['resolve', { by, action: 'retry' }]],
  ['abort', failing, ['resolve', { by, action: 'abort' }]],
])('"%s" is sent once, as who sits there, with the digest that was shown', async (words, about, expected) => {
  expect(await answered(about, words)).toEqual(['taken'])
  expect(sent).toEqual([expected])
  if (about === gate) expect(asked[0]!.text).toContain(`approve the plan 3fa94c21, as ${by}?`)
})

test.each(['', 'yep', 'approve', 'y\u001b[2J'])('"%s" answers nothing, and leaves the gate open', async (words) => {
  expect(await answered(gate, words)).toEqual(['left open: it waits for whoever answers'])
  expect(sent).toEqual([])
})

test('an answer that is refused is told with the reason, and the run is followed on', async () => {
  refuses = 'by: "eve" asked for this run, and may not approve it'
  expect(await answered(gate, 'y')).toEqual([`not taken: ${refuses}`])
})

test('a gate that somebody else answers is not asked about any more; a changed plan is another question', async () => {
  const { io, question: it } = question()
  it.see(gate)
  await expect.poll(() => asked.length).toBe(1)
  it.see(progress())
  expect(asked[0]!.withdrawn?.aborted).toBe(true)
  await expect.poll(() => held).toEqual(['held', 'released'])
  it.see(progress({ ...lossGate, plan: { ...lossGate.plan!, digest: 'sha256:77777777' } }))
  await expect.poll(() => asked.length).toBe(2)
  expect(asked[1]!.text).toContain('77777777')
  await it.end()
  expect([sent, io.said]).toEqual([[], []])
})

test('nothing is asked where an approval has to be signed, or nobody sits at a terminal', async () => {
  const { question: it } = question()
  it.see(progress({ ...lossGate, gate: { ...lossGate.gate!, signs: 'stepback approve …' } }))
  await it.end()
  const nobody = { hold: () => held.push('held'), release: () => undefined }
  const alone = new Question({ io: silentIo(), view: nobody, client: {} as never, run: 'r' })
  alone.see(gate)
  await alone.end()
  expect([asked, held]).toEqual([[], []])
})
