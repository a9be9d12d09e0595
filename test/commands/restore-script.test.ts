import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Plan } from '../../src/plan/plan.js'
import { parseManifest } from '../../src/plan/manifest.js'
import { type Standing, standingRestorePoint } from '../support/restore-script.js'

let point: Standing
beforeEach(() => (point = standingRestorePoint()))
afterEach(() => point.remove())

const read = (name: string) => readFileSync(join(point.directory, name), 'utf8')
const upOf = (told: readonly string[]) =>
  told.filter((line) => line.includes(' up ')).map((line) => line.split(' ').at(-1))
const kinds = () => point.ledger().map((entry) => entry.kind)
const isFree = () => point.helper(['lease']).includes('"free":true')

const holder = (run: string) =>
  `"workflowId":"deploy-shop","runId":"${run}"\n{"workflowId":"deploy-shop","runId":"${run}","namespace":"default","kind":"deploy"}\n`

/** A run takes the lease, writes its plan, and is heard of no more. */
function heldByRun(run = '0123abcd-0000-4000-8000-00005b00f00d'): void {
  point.start(['--help'])
  point.start(['--yes'])
  rmSync(join(point.root, 'told'))
  writeFileSync(join(point.directory, '.env'), 'MODE=now\n')
  const payload = holder(run)
  point.helper(['acquire', '0', 'free'], payload)
  const entry = `${JSON.stringify({ kind: 'plan', run: { workflowId: 'deploy-"shop"', runId: run }, plan: {} })}\n`
  point.helper(['append', 'ledger', '3', `${run}.plan`], entry)
}

describe('the script of a restore point', () => {
  test('is private, may be started, and says what it does', () => {
    expect(statSync(point.file).mode & 0o777).toBe(0o700)
    expect(point.start(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('--dry-run') })
    expect(point.start(['--sure']).status).toBe(2)
  })

  test('changes nothing for a dry run, for no answer, and where a file is not the recorded one', () => {
    expect(point.start(['--dry-run'])).toMatchObject({ status: 0, stdout: expect.stringContaining('stop api web') })
    expect(point.start([], { input: 'no\n' })).toMatchObject({ status: 3 })
    writeFileSync(join(point.root, 'back ups/env_20261123T100000Z-2.0.0'), 'changed')
    const refused = point.start(['--yes'])
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('another checksum') })
    expect([read('.env'), point.told(), existsSync(join(point.state, 'lease/t.1'))]).toEqual([
      'MODE=now\nPASSWORD=new\n',
      [],
      false,
    ])
  })

  test.each(['dash', 'bash', 'busybox sh'])(
    'puts files, images and services back under %s, and gives the lease back',
    (shell) => {
      const done = point.start([], { shell, input: 'yes\n' })
      expect(done).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringMatching(/done: shop is at 2\.0\.0 again\nundo it/),
      })
      expect([read('docker-compose.yml'), read('.env')]).toEqual(['services: then\n', 'MODE=then\nPASSWORD=new\n'])
      expect(existsSync(join(point.directory, 'brought'))).toBe(false)
      const told = point.told()
      expect(told.filter((line) => !line.startsWith('tag sha256:now')).slice(0, 3)).toEqual([
        'stop --time 3 running-1 running-2',
        'stop --time 3 late-1',
        'tag sha256:old shop-api',
      ])
      expect(upOf(told)).toEqual(['api', 'web'])
      expect(kinds()).toEqual(['acquired', 'plan', 'start', 'finished'])
      expect(isFree()).toBe(true)
      expect(read('deploy.log')).toMatch(/^\S+ restore_20261123T100000Z-2\.0\.0\.sh rollback full 2\.0\.0: done\n$/)
      const [note = '', ...others] = readdirSync(join(point.directory, 'logs'))
      expect([note, others]).toEqual([expect.stringMatching(/^incident_\d{8}T\d{6}Z_rollback_[0-9a-f]{8}\.md$/), []])
      expect(done.stdout).toContain(`noted in logs/${note}\n`)
      expect(read(`logs/${note}`)).toMatch(
        /^# Rollback of shop: done\n[^]*\n- destination: 20261123T100000Z-2\.0\.0\n[^]*`\.\n$/,
      )
      expect(readdirSync(join(point.state, 'staging'))).toEqual([])
    },
  )

  test('takes a restore point first, which a rollback can go back to', () => {
    writeFileSync(join(point.directory, 'größe "1" 雪 🚀.yaml'), 'brought')
    const name =
      '#gone gr\\0303\\0266\\0303\\0237e\\0040\\00421\\0042\\0040\\0351\\0233\\0252\\0040\\0360\\0237\\0232\\0200.yaml'
    writeFileSync(join(point.root, 'back ups/restore_20261123T110000Z-2.1.0.sh'), `#target shop\n${name}\n`)
    expect(point.start(['--yes']).stdout).toMatch(
      /undo it, once Temporal is back: stepback rollback shop --to \S+-unknown\n/,
    )
    const backups = readdirSync(join(point.root, 'back ups'))
    const file = backups.find((it) => it.startsWith('manifest_') && it.endsWith('-unknown.json'))!
    const safety = parseManifest(readFileSync(join(point.root, 'back ups', file), 'utf8'))
    const of = (path: string) => safety.files.find((it) => it.path === path)
    expect(of('docker-compose.yml')).toMatchObject({ name: `docker-compose_${safety.id}.yml`, bytes: 14, mode: '0644' })
    expect(of('größe "1" 雪 🚀.yaml')).toMatchObject({ name: `config_${safety.id}.tar.gz`, bytes: 7 })
    expect(of('brought')).toMatchObject({ bytes: 0 })
    expect(safety.files.filter((it) => it.path === undefined).map((it) => it.name)).toEqual([
      `config_${safety.id}.tar.gz`,
    ])
    expect(safety).toMatchObject({
      state: 'taken',
      target: 'shop',
      version: 'unknown',
      images: [{ service: 'api', id: 'sha256:now', ref: 'shop-api' }],
    })
    const { plan } = point.ledger().find((it) => it.kind === 'plan') as unknown as { plan: Plan }
    expect(plan).toMatchObject({ safety: safety.id, before: { version: 'unknown' } })
    const undo = plan.steps[0]!.undo.map(({ args }) => args)
    expect(undo).toContainEqual({ images: safety.images })
    expect(undo).toContainEqual({ levels: [{ services: ['api'], wait: false }] })
    expect(point.told()).toContain(`tag sha256:now stepback/shop-api:${safety.id}`)
    expect(readFileSync(join(point.root, 'back ups', `env_${safety.id}`), 'utf8')).toBe('MODE=now\nPASSWORD=new\n')
    expect(existsSync(join(point.directory, 'größe "1" 雪 🚀.yaml'))).toBe(false)
  })

  test('says that what it put back is not healthy', () => {
    writeFileSync(join(point.root, 'hold.ill'), '')
    const ended = point.start(['--yes'])
    expect(ended).toMatchObject({ status: 5, stderr: expect.stringContaining('not well: database') })
    expect(isFree()).toBe(true)
  })

  test('goes back though nothing can be noted, follows no link, and says so', () => {
    mkdirSync(join(point.root, 'elsewhere'))
    symlinkSync(join(point.root, 'elsewhere'), join(point.directory, 'logs'))
    symlinkSync(join(point.root, 'elsewhere/log'), join(point.directory, 'deploy.log'))
    const done = point.start(['--yes'])
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('done: shop is at 2.0.0 again') })
    expect(done.stderr).toContain('a directory on the way is a link: ./logs')
    expect([readdirSync(join(point.root, 'elsewhere')), isFree()]).toEqual([[], true])
  })

  test('keeps to a lease that was renewed, and says who holds it', () => {
    heldByRun()
    const refused = point.start(['--yes'])
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('held by deploy deploy-shop') })
    expect([point.told(), read('.env')]).toEqual([[], 'MODE=now\n'])
  })

  test('takes over what nobody renews, fences its run, and closes its debt', () => {
    heldByRun()
    expect(point.start(['--yes'], { env: { STEPBACK_UNRENEWED_SECONDS: '-1' } }).status).toBe(0)
    expect(read('.env')).toMatch(/^MODE=then/)
    expect(kinds().slice(-5)).toEqual(['acquired', 'plan', 'start', 'finished', 'debt-closed'])
    expect(point.ledger().at(-2)).toMatchObject({ outcome: 'done', settles: true })
    expect(point.ledger().at(-1)).toMatchObject({ run: { workflowId: 'deploy-"shop"' }, how: 'undone' })
    const self = 'restore_20261123T100000Z-2.0.0.sh'
    expect(read('deploy.log')).toMatch(`deploy-__shop__: ended without an end; undone by ${self}\n`)
    const [note = ''] = readdirSync(join(point.directory, 'logs')).toReversed()
    expect(read(`logs/${note}`)).toContain(': deploy-__shop__\n')
    const payload = holder('0123abcd-0000-4000-8000-00005b00f00d')
    expect(point.helper(['renew', '3'], payload)).toContain('other ')
  })

  test('killed on the way is gone on with at once, under its own name and the next token', async () => {
    writeFileSync(join(point.root, 'hold'), '')
    const { argv, env } = point.command('sh')
    const child = spawn(argv[0]!, [...argv.slice(1), '--yes'], { env, stdio: 'ignore' })
    while (!point.told().some((line) => line.includes(' up '))) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(point.start(['--yes'])).toMatchObject({ status: 3, stderr: expect.stringContaining('held by script') })
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    rmSync(join(point.root, 'hold'))
    expect(point.start(['--yes']).status).toBe(0)
    expect(kinds().join(' ')).toBe('acquired plan start acquired plan start finished debt-closed')
    expect(read('deploy.log').trim().split('\n')).toHaveLength(1)
    const runs = point.ledger().map(({ run }) => run.runId)
    expect(new Set(runs.map((run) => run.split('-').at(-1))).size).toBe(1)
    expect(new Set(runs).size).toBe(2)
  })

  test('killed behind its end, before it gave the lease back, is begun anew and not gone on with', () => {
    expect(point.start(['--yes']).status).toBe(0)
    rmSync(join(point.state, 'lease/t.2'))
    expect(isFree()).toBe(false)
    expect(point.start(['--yes']).status).toBe(0)
    expect(isFree()).toBe(true)
    const plans = point.ledger().filter(({ kind }) => kind === 'plan') as unknown as { plan: Plan }[]
    expect(new Set(plans.map(({ plan }) => plan.safety)).size).toBe(2)
  })

  test('removes what only a later release brought, as the first restore point says that names it', () => {
    const later = (at: string, ...lines: string[]) =>
      writeFileSync(join(point.root, `back ups/restore_${at}.sh`), ['#target shop', ...lines, ''].join('\n'))
    later('20261123T090000Z-1.0.0', '#gone earlier')
    later('20261123T110000Z-2.1.0', '#known kept', '#gone it\\0047s\\0040new')
    later('20261123T120000Z-2.2.0', '#gone kept')
    for (const name of ['earlier', 'kept', "it's new"]) writeFileSync(join(point.directory, name), '')
    expect(point.start(['--yes']).status).toBe(0)
    expect(readdirSync(point.directory).toSorted()).toEqual([
      '.env',
      'deploy.log',
      'docker-compose.yml',
      'earlier',
      'kept',
      'logs',
    ])
  })
})
