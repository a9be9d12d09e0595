import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { shapes } from './shapes.js'

type Json = { events: Record<string, any>[] }

const directory = fileURLToPath(new URL('histories/', import.meta.url))
const names = readdirSync(directory).map((file) => file.replace(/\.json$/, ''))

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } })
})

test('each shape of control flow has one recorded history', () => {
  expect(names.toSorted()).toEqual(Object.keys(shapes).toSorted())
})

test.each(names)('the present workflows replay the recorded history of %s', async (name) => {
  expect(await replay(read(name))).toBeUndefined()
})

describe('a change of the workflows that breaks runs under way is caught', () => {
  test('another activity in the place of a recorded one', async () => {
    const changed = read('deploy-done')
    for (const event of changed.events) {
      const type = event['activityTaskScheduledEventAttributes']?.activityType
      if (type?.name === 'putFiles') type.name = 'buildImages'
    }
    expect(await replay(changed)).toMatchObject({ name: 'DeterminismViolationError' })
  })

  test('a timer that is no longer started', async () => {
    const changed = read('approval-timeout')
    const timer = changed.events.findIndex((event) => event['timerStartedEventAttributes'])
    changed.events[timer] = { ...changed.events[timer], ...asActivity }
    delete changed.events[timer]!['timerStartedEventAttributes']
    expect(await replay(changed)).toMatchObject({ name: 'DeterminismViolationError' })
  })
})

describe('a history as JSON', () => {
  test('comes back as it was: one protobufjs serves all packages of the SDK', () => {
    const history = historyFromJSON(read('deploy-done'))
    expect(history.events!.length).toBe(read('deploy-done').events.length)
    expect(historyFromJSON(JSON.parse(historyToJSON(history)))).toEqual(history)
  })

  test.each(names)('%s names neither a machine nor a path of one', (name) => {
    expect(JSON.stringify(read(name))).not.toMatch(/node_modules|file:\/\/|\d+@/)
  })
})

const asActivity = {
  eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
  activityTaskScheduledEventAttributes: {
    activityId: '99',
    activityType: { name: 'finishRun' },
    taskQueue: { name: 'stepback' },
  },
}

async function replay(history: Json): Promise<Error | undefined> {
  const workflowBundle = { codePath: inject('workflowBundlePath') }
  const results = Worker.runReplayHistories({ workflowBundle }, [{ workflowId: idOf(history), history }])
  for await (const result of results) return result.error
  throw new Error('nothing was replayed')
}

/** A history does not tell whose it is, but the names of the notices that it started do. */
function idOf(history: Json): string {
  const children = history.events.map((event) => event['startChildWorkflowExecutionInitiatedEventAttributes'])
  const names = children.map((child) => /^notice-(.*)-[0-9a-f]{8}$/.exec(child?.workflowId ?? '')?.[1])
  return names.find((name) => name !== undefined) ?? 'replayed'
}

function read(name: string): Json {
  return JSON.parse(readFileSync(`${directory}${name}.json`, 'utf8')) as Json
}
