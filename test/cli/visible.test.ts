import { expect, test } from 'vitest'
import { visible, visibleLines } from '../../src/cli/view/visible.js'

test('an escape sequence of a host is shown, and not obeyed', () => {
  expect(visible('\u001b[2J\u001b]0;owned\u0007done')).toBe('\\x1b[2J\\x1b]0;owned\\x07done')
})

test('an 8-bit control sequence is shown, too', () => {
  expect(visible('\u009b31m')).toBe('\\x9b31m')
})

test('marks that turn the direction of writing are shown', () => {
  expect(visible('a\u202eb')).toBe('a\\u{202e}b')
})

test('a line stays one line', () => {
  expect(visible('one\ntwo\rthree\u2028four')).toBe('one\\ntwo\\x0dthree\\u{2028}four')
})

test('line breaks of a message are kept where lines are wanted', () => {
  expect(visibleLines('one\n\u001btwo')).toBe('one\n\\x1btwo')
})

test('letters of every script stay as they are', () => {
  expect(visible('Größe 数据 ✔')).toBe('Größe 数据 ✔')
})
