import { describe, expect, test } from 'vitest'
import { parseDeployRequest, parseEmergencyRequest, parseRollbackRequest } from '../../src/config/request.js'

const deploy = (changes: object) => () => parseDeployRequest({ target: 'shop', version: '2.1.0', ...changes })
const rollback = (changes: object) => () => parseRollbackRequest({ target: 'shop', ...changes })
const words = 'expected a version of letters, digits, ".", "_", "+" and "-"'

test('a deploy gets its defaults', () => {
  expect(deploy({})()).toEqual({
    target: 'shop',
    version: '2.1.0',
    migrateTo: 'head',
    approval: 'policy',
    hotfix: false,
    redeploy: false,
    dryRun: false,
  })
})

test('a rollback gets its defaults: the smallest thing that an operator types is enough', () => {
  expect(rollback({ reason: 'error rate up since 2.1.0' })()).toEqual({
    target: 'shop',
    scope: 'full',
    to: 'latest',
    strategy: 'auto',
    secrets: 'keep',
    approval: 'policy',
    dryRun: false,
    reason: 'error rate up since 2.1.0',
  })
})

test('an emergency needs a reason and one of the procedures; each wrong key is named', () => {
  const asked = { target: 'shop', procedure: 'stop', reason: 'why' }
  expect(parseEmergencyRequest({ ...asked, severity: 'failure' })).toEqual({
    ...asked,
    severity: 'failure',
    dryRun: false,
  })
  const { reason: _reason, ...without } = asked
  expect(() => parseEmergencyRequest(without)).toThrow('reason: missing: expected a reason')
  expect(() => parseEmergencyRequest({ ...asked, reason: ' ' })).toThrow('reason: ""')
  expect(() => parseEmergencyRequest({ ...asked, procedure: 'panic' })).toThrow(
    'procedure: "panic": expected one of "stop"',
  )
  expect(() => parseEmergencyRequest({ ...asked, approval: 'never' })).toThrow('approval: unknown key')
})

test('every key of the contract is known', () => {
  expect(
    deploy({
      release: '/r',
      migrateTo: 'none',
      approval: 'always',
      hotfix: true,
      redeploy: true,
      mayLoseRows: 5,
      reason: 'r',
      requestedBy: 'ann',
      dryRun: true,
    })(),
  ).toMatchObject({ mayLoseRows: 5 })
  expect(
    rollback({
      scope: 'containers',
      to: '-1',
      services: ['api'],
      strategy: 'swap',
      secrets: 'restore',
      carryForward: ['t'],
      approval: 'never',
      severity: 'failure',
      reason: 'r',
      requestedBy: 'ann',
      dryRun: true,
    })(),
  ).toMatchObject({ severity: 'failure' })
  expect(rollback({ carryForward: 'all' })()).toMatchObject({ carryForward: 'all' })
})

describe('a deploy request is refused', () => {
  test.each([
    [{ version: undefined }, 'version: missing: expected string, received undefined'],
    [{ version: 5 }, 'version: 5: expected string, received number'],
    [{ version: '../x' }, `version: "../x": ${words}`],
    [{ version: 'a b' }, `version: "a b": ${words}`],
    [{ version: `v${'1'.repeat(64)}` }, `version: "v${'1'.repeat(64)}": ${words}`],
    [{ target: '' }, 'target: "": Too small: expected string to have >=1 characters'],
    [{ approval: 'maybe' }, 'approval: "maybe": expected one of "policy"|"always"|"never"'],
    [{ mayLoseRows: -1 }, 'mayLoseRows: -1: Too small: expected number to be >=0'],
    [{ mayLoseRows: 1.5 }, 'mayLoseRows: 1.5: expected int, received number'],
    [{ hotfix: 'yes' }, 'hotfix: "yes": expected boolean, received string'],
    [{ hotfix: true }, 'reason: missing; a hotfix needs one'],
    [{ verison: '1' }, 'verison: unknown key'],
  ])('with %j', (changes, problem) => {
    expect(deploy(changes)).toThrow(
      expect.objectContaining({
        type: 'InvalidRequest',
        message: `the request for deployWorkflow cannot be read: ${problem}`,
      }),
    )
  })
})

describe('a rollback request is refused', () => {
  test.each([
    [{ scope: 'files' }, 'scope: "files": expected one of "full"|"database"|"containers"|"config"'],
    [{ strategy: 'fast' }, 'strategy: "fast": expected one of "auto"|"migrate"|"swap"|"restore"'],
    [{ secrets: 'drop' }, 'secrets: "drop": expected one of "keep"|"restore"'],
    [{ severity: 'bad' }, 'severity: "bad": expected one of "failure"|"degradation"'],
    [{ services: [] }, 'services: []: Too small: expected array to have >=1 items'],
    [{ services: ['api', 7] }, 'services.1: 7: expected string, received number'],
    [
      { requestedBy: 'ann\u001b[2J' },
      'requestedBy: "ann\\u001b[2J": expected a name of 1 to 200 characters, none of them a control character',
    ],
    [
      { reason: 'x'.repeat(100_000) },
      `reason: "${'x'.repeat(199)}…: Too big: expected string to have <=2000 characters`,
    ],
    [{ dryRun: 1 }, 'dryRun: 1: expected boolean, received number'],
    [{ target: null }, 'target: null: expected string, received null'],
    [{ version: '2' }, 'version: unknown key'],
  ])('with %.80j', (changes, problem) => {
    expect(rollback(changes)).toThrow(
      expect.objectContaining({
        type: 'InvalidRequest',
        message: `the request for rollbackWorkflow cannot be read: ${problem}`,
      }),
    )
  })

  test('with what is to be carried forward given as a number, saying what is expected', () => {
    expect(rollback({ carryForward: 5 })).toThrow(/carryForward: 5: expected a list of tables, or "all"/)
  })
})

test('all that is wrong is said at once', () => {
  expect(deploy({ version: 5, nope: 1, dryRun: 'x' })).toThrow(/version: 5: .*; dryRun: "x": .*; nope: unknown key/)
})

test.each([null, 'shop', 7, [], undefined])('%j is no request', (raw) => {
  expect(() => parseDeployRequest(raw)).toThrow(expect.objectContaining({ type: 'InvalidRequest' }))
  expect(() => parseDeployRequest(raw)).toThrow(/\(request\): .*expected object/)
})
