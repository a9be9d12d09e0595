// A host that is no more than what a deploy can change on it, and the helper that it is changed through.

import { containersAround } from '../../src/commands/observe.js'
import { doingNow, type Doing } from './doing.js'
import { chance } from './faults.js'
import { Helper, type Printed } from './helper.js'
import {
  type Ground,
  type Release,
  after,
  definitionOf,
  groundBefore,
  idOf,
  imageOf,
  project,
  released,
} from './stack.js'

interface Point {
  readonly files: Ground['files']
  dumped?: readonly string[]
  whole?: true
}

export class SimulatedHost {
  readonly ground = groundBefore()
  readonly helper: Helper
  /** How often each migration was applied, and how often it was reverted. */
  readonly migrated = { up: 0, down: 0 }
  readonly points = new Map<string, Point>()
  readonly staged = new Set<string>()
  readonly copies = new Set<string>()
  readonly kept = new Set<string>()

  constructor(
    readonly name: string,
    seed: number,
    readonly release: Release,
  ) {
    this.helper = new Helper({
      look: (script) => this.#look(script.trim()),
      run: (doing) => this.#run(doing),
      lasts: (doing) => Math.floor(chance(seed, `lasts ${doing.where} ${doing.job}`) * 25),
    })
  }

  /** What an exec string asks for, and under which name it is drawn whether it fails. */
  program(command: string, stdin: Buffer): { readonly what: string; readonly act: () => Promise<Printed> } {
    if (command === 'true') return { what: 'true', act: async () => silent }
    const [, , file = '', , , nonce = '', ...words] = command.split(' ')
    if (!file.includes('/helper-')) throw new Error(`the simulated host does not know "${command}"`)
    const about = words[0] === 'look' ? stdin.toString('utf8') : this.neutral(words.join(' '))
    return {
      what: `${doingNow('').where} ${words[0]} ${about}`,
      act: () => this.helper.call(nonce, words, stdin),
    }
  }

  /** Without what is another word in each run of the same seed. */
  neutral(text: string): string {
    return text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'run')
      .replaceAll(/(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])/g, 'run')
      .replaceAll(/\d{8}T\d{6}Z/g, 'then')
  }

  stage(path: string): void {
    this.staged.add(path.slice(path.indexOf('/release/') + '/release/'.length))
  }

  /** The application answers where all of it runs. */
  get version(): string | null {
    const { api } = this.ground.containers
    return api?.running ? api.image.replace('sha256:api-', '') : null
  }

  get healthy(): boolean {
    const running = Object.values(this.ground.containers).every((it) => it.running)
    return running && !(this.release === 'is not healthy' && this.version === after)
  }

  #look(script: string): string {
    if (script === containersAround(project).trim()) return `${this.#listed()}\n\n${JSON.stringify(this.#inspected())}`
    if (script.includes('docker inspect --type container')) return JSON.stringify(this.#inspected())
    if (script === 'simulated: applied') return JSON.stringify(this.ground.applied)
    if (script.startsWith('simulated: ')) return ''
    throw new Error(`the simulated host does not know "${script}"`)
  }

  #listed(): string {
    const rows = Object.entries(this.ground.containers).map(([service, { running }]) => {
      const state = running ? 'running' : 'exited'
      return [`c-${service}`, state, '', service, project, 'False', '', '', '']
    })
    return rows.map((row) => JSON.stringify(row)).join('\n')
  }

  #inspected(): object[] {
    return Object.entries(this.ground.containers).map(([service, { image, running }]) => ({
      Id: `c-${service}`,
      Image: image,
      Config: { Image: imageOf(service), Labels: { 'com.docker.compose.service': service } },
      State: { Running: running },
    }))
  }

  #run(doing: Doing): { readonly status: number; readonly stdout: string } {
    const done = jobs[`${doing.name}.${doing.job}`] ?? jobs[doing.name]
    if (!done) throw new Error(`the simulated host does not know the job "${doing.job}" of "${doing.name}"`)
    const said = done(this, doing)
    return said === false ? { status: 1, stdout: '' } : { status: 0, stdout: said ?? '' }
  }
}

type Done = (host: SimulatedHost, doing: Doing) => string | false | void

/** What each act does, by its name, or by that of one of its jobs; false where it fails. */
const jobs: Readonly<Record<string, Done>> = {
  'takeRestorePoint.files': ({ points, ground }, { safety }) => {
    points.set(safety, { files: { ...ground.files } })
  },
  'takeRestorePoint.dump': ({ points, ground }, { safety }) => {
    points.get(safety)!.dumped = [...ground.applied]
  },
  'takeRestorePoint.manifest': ({ points }, { safety }) => {
    points.get(safety)!.whole = true
  },
  proveRestorePoint: ({ copies }, { safety }) => void copies.add(safety),
  dropUnprovenCopy: ({ copies }, { safety }) => void copies.delete(safety),
  keepImages: ({ kept }, { args }) => {
    for (const { id } of args.images) kept.add(id)
  },
  putFiles: ({ ground, staged }) => {
    if (Object.keys(released).some((path) => !staged.has(path))) return false
    Object.assign(ground.files, released)
    return undefined
  },
  restoreFiles: ({ ground, points }, { safety }) => {
    for (const path of Object.keys(ground.files)) delete ground.files[path]
    Object.assign(ground.files, points.get(safety)!.files)
  },
  buildImages: ({ ground, release }, { args }) => {
    const [first, ...others] = args.services as string[]
    const version = ground.files['docker-compose.yml']!
    ground.images[imageOf(first!)] = idOf(first!, version)
    if (release === 'does not build' && version === after) return false
    for (const service of others) ground.images[imageOf(service)] = idOf(service, version)
    return undefined
  },
  restoreImages: ({ ground }, { args }) => {
    for (const { id, ref } of args.images) ground.images[ref] = id
  },
  stopServices: ({ ground }, { args }) => {
    for (const service of args.services) ground.containers[service]!.running = false
  },
  startServices: ({ ground }, { args }) => {
    for (const service of args.levels.flatMap((it: { services: string[] }) => it.services)) {
      const from = definitionOf(service, ground.files['docker-compose.yml']!)
      ground.containers[service] = { image: ground.images[imageOf(service)]!, from, running: true }
    }
  },
  collectLogs: () => '50 5891b5b522d5df086d0ff0b110fbd9d2\n',
  finishRun: ({ staged }) => staged.clear(),
}

const silent: Printed = { exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
