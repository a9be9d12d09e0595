// What happens to the run itself in Temporal, and what other runs do beside it.

import { type Fault, nothingToMend } from '../fault.js'
import { run as command } from '../../sandbox/run.js'

export const runFaults: readonly Fault[] = [
  {
    name: 'run cancelled',
    about: 'somebody cancels the run',
    lasts: 'moment',
    ofRun: true,
    async inject({ ground, run }) {
      await ground.temporal.workflow.getHandle(run).cancel()
      return nothingToMend
    },
  },
  {
    name: 'run terminated',
    about: 'somebody terminates the run, and the next run finds what it left',
    lasts: 'moment',
    ofRun: true,
    async inject({ ground, run }) {
      await ground.temporal.workflow.getHandle(run).terminate('chaos')
      return nothingToMend
    },
  },
  {
    name: 'run reset',
    about: 'somebody resets the run, to its beginning or to where it had come',
    lasts: 'moment',
    ofRun: true,
    async inject({ ground: { sandbox }, run }, random) {
      const { cli, address, namespace } = sandbox.temporal
      const type = random.pick(['FirstWorkflowTask', 'LastWorkflowTask'])
      const words = ['--workflow-id', run, '--type', type, '--reason', 'chaos']
      await command([cli, 'workflow', 'reset', ...words, '--address', address, '--namespace', namespace])
      return nothingToMend
    },
  },
  {
    name: 'rollback beside it',
    about: 'somebody starts a rollback of the whole release while the run is under way',
    lasts: 'moment',
    ofRun: true,
    async inject({ start, wishes, point }) {
      // Where nothing was taken yet there is nothing to go back to.
      if (point === undefined) return undefined
      await start((client, target) => client.startRollback({ target, to: point, reason: 'chaos' }), wishes.back)
      return nothingToMend
    },
  },
  {
    name: 'deploy beside it',
    about: 'somebody starts a deploy of another release while the run is under way',
    lasts: 'moment',
    ofRun: true,
    async inject({ ground: { sandbox }, start, wishes, version }) {
      const release = sandbox.releases[version]!
      await start((client, target) => client.startDeploy({ target, version, release, reason: 'chaos' }), wishes.release)
      return nothingToMend
    },
  },
]
