import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { exitCodeOf, exitCodeOfError } from '../../src/cli/exit-code.js'
import type { Outcome } from '../../src/client.js'
import { StepbackError } from '../../src/plan/failure.js'

test.each([
  ['done', 0],
  ['InvalidRequest', 2],
  ['UnknownTarget', 2],
  ['InvalidConfiguration', 2],
  ['Refused', 3],
  ['Rejected', 3],
  ['ApprovalTimeout', 3],
  ['Cancelled', 3],
  ['Undone', 4],
  ['NotUndone', 5],
  ['Fenced', 5],
  ['Terminated', 5],
  ['Unknown', 1],
] as const)('a run that ended as %s exits with %i', (outcome, exitCode) => {
  expect(exitCodeOf({ outcome, message: '' } as unknown as Outcome)).toBe(exitCode)
})

test('a refused answer exits with 3', () => {
  expect(exitCodeOfError(new StepbackError({ type: 'ApprovalRefused', message: 'no' }))).toBe(3)
})

test('a usage error exits with 2, and asking for help with 0', () => {
  expect(exitCodeOfError(new CommanderError(1, 'commander.unknownOption', ''))).toBe(2)
  expect(exitCodeOfError(new CommanderError(0, 'commander.helpDisplayed', ''))).toBe(0)
})

test('what nobody foresaw exits with 1', () => {
  expect(exitCodeOfError(new TypeError('no'))).toBe(1)
})
