import { expect, test } from 'vitest'
import { observe } from '../../src/activities/observe/facts.js'
import type { Look } from '../../src/activities/observe/look.js'
import { labelledContainers, labelledVolumes } from '../../src/commands/observe.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import { StepbackError, type FailureType } from '../../src/plan/failure.js'

const config = parseConfig(
  `targets: { shop: { ssh: { host: shop }, directory: /srv, backups: /srv/backups,
    compose: { project: shop, files: [a.yml] }, services: { application: [web] } } }`,
  'stepback.yaml',
)

/** Answers nothing, and one look not even that. */
function looking(without: string, type: FailureType): Look {
  return {
    deps: { config },
    target: findTarget(config, 'shop'),
    host: { stateDirectory: '/srv/backups/.stepback/shop', readLedger: async () => [] },
    try: async () => ({ exitCode: 1, stdout: '', stderr: 'no docker' }),
    look: async (script: string) => {
      if (script.includes(without)) throw new StepbackError({ type, message: 'the look failed' })
      return ''
    },
  } as unknown as Look
}

const looks = { containers: 'docker inspect', labels: labelledContainers, volumes: labelledVolumes }

test.each(Object.entries(looks))('a plan is not made where the answer about %s was lost', async (_what, script) => {
  await expect(observe(looking(script, 'Unreachable'))).rejects.toMatchObject({ type: 'Unreachable' })
})

test('a Docker that does not answer is a finding, and no failure to look', async () => {
  const { containers, findings } = await observe(looking('docker inspect', 'Refused'))
  expect(containers).toEqual([])
  expect(findings.find((it) => it.check === 'docker')).toMatchObject({ ok: false })
})
