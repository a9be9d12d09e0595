import { expect, test } from 'vitest'
import { findConfig, requireConfig } from '../../src/cli/configuration.js'
import { silentIo } from './support.js'

const all = () => true
const none = () => false

test('the file that is named wins over the environment, and that over the directory', () => {
  expect(findConfig('a.yaml', { STEPBACK_CONFIG: 'b.yaml' }, all)).toBe('a.yaml')
  expect(findConfig(undefined, { STEPBACK_CONFIG: 'b.yaml' }, all)).toBe('b.yaml')
  expect(findConfig(undefined, {}, all)).toBe('stepback.yaml')
})

test("the sandbox's configuration is the last resort", () => {
  expect(findConfig(undefined, {}, (path) => path === '.sandbox/stepback.yaml')).toBe('.sandbox/stepback.yaml')
  expect(findConfig(undefined, {}, none)).toBeUndefined()
})

test('a file that is named and missing is an error that says so', () => {
  const read = () => requireConfig({ config: '/nosuch/stepback.yaml' }, silentIo())
  expect(read).toThrow('configuration "/nosuch/stepback.yaml" cannot be read')
})
