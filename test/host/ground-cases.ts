import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobOutcome } from '../../src/adapters/host.js'
import {
  acquire,
  holder,
  kill,
  killWith,
  lives,
  pause,
  processesWith,
  randomFrom,
  seedOf,
  startGround,
  take,
  until,
} from './ground.js'
import type { Ground, Site } from './ground.js'

/** What the ground promises, under one shell. */
export function groundCases(shell: string): void {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround(shell)
  })
  afterAll(() => ground.stop())
  const option = { timeout: 120_000 }

  describe.concurrent(`a job under ${shell}`, () => {
    test('runs once, however many attempts start it at once', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const script = `echo x >>'${site.path('effects')}'; echo out; echo err >&2; exit 7`
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => site.host.runJob({ id: 'job', token, script })),
      )
      expect(site.lines('effects')).toBe(1)
      const files = { out: site.path('jobs/job/out.1'), err: site.path('jobs/job/err.1') }
      const expected = { outcome: 'exited', exitCode: 7, stdout: 'out\n', stderr: 'err\n', files }
      for (const outcome of outcomes) expect(outcome).toEqual(expected)
    })

    test('runs exactly once and keeps its exit through 200 cuts and kills of its attempts', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const seed = seedOf()
      const wrong: string[] = []
      const underWay = new Map<string, number>()
      const one = async (index: number) => {
        const random = randomFrom(seed + index)
        const id = `job.${index}`
        const exitCode = random(2) * 9
        const script = `echo x >>'${site.path(id)}'; sleep 0.0${random(9)}; echo begun; sleep 0.0${random(9)}; echo ended; exit ${exitCode}`
        for (let attempt = 1; attempt <= 4; attempt += 1) {
          underWay.set(id, attempt)
          if (attempt % 2 === 0) await cut(ground, site, { id, token, script }, random(120))
          else await killAttempt(site, { id, token, script }, random(80))
        }
        underWay.set(id, 5)
        const outcome = await site.host.runJob({ id, token, script })
        underWay.delete(id)
        const seen = outcome.outcome === 'exited' ? `${outcome.exitCode} ${outcome.stdout}` : outcome.outcome
        if (seen !== `${exitCode} begun\nended\n` || site.lines(id) !== 1)
          wrong.push(`${id}: ${site.lines(id)} ${seen}`)
      }
      const files = (id: string) => (existsSync(site.path(`jobs/${id}`)) ? readdirSync(site.path(`jobs/${id}`)) : [])
      await orTell(option.timeout - 10_000, inTurns(50, 5, one), () =>
        [...underWay].map(([id, attempt]) => `attempt ${attempt} of ${id}, which has ${files(id).join(' ')}`),
      )
      expect(wrong).toEqual([])
    })

    test('never runs twice when its own runner is killed, and says that its end is unknown', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const seed = seedOf()
      const seen: Record<string, number> = {}
      await inTurns(30, 5, async (index) => {
        const random = randomFrom(seed + index)
        const id = `job.${index}`
        const script = `echo x >>'${site.path(id)}'; sleep 0.05; echo x >>'${site.path(`${id}.end`)}'; sleep 0.02; exit 9`
        const running = site.host.runJob({ id, token, script }).then(wordOf, typeOf)
        const runners = () => processesWith(site.state, ` run ${id} `)
        await until(() => runners().length > 0 || site.read(`jobs/${id}/exit.1`) !== '')
        await pause(random(120))
        for (const pid of runners()) kill(pid)
        const outcome = await running
        seen[outcome] = (seen[outcome] ?? 0) + 1
        expect(site.lines(id)).toBe(outcome === 'exited 9' ? 1 : Math.min(1, site.lines(id)))
        expect(['exited 9', 'StepFailed']).toContain(outcome)
        // A retry reads the same, and nothing of the job acts any more.
        expect(await site.host.runJob({ id, token, script }).then(wordOf, typeOf)).toBe(outcome)
        expect(processesWith(site.path(`jobs/${id}/cmd`))).toEqual([])
      })
      console.log(`${shell}: runners killed`, seen)
    })

    test('whose runner was killed goes on as its step judges', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const script = `echo x >>'${site.path('effects')}'; [ $(wc -l <'${site.path('effects')}') -gt 1 ] || sleep 60`
      const running = site.host.runJob({ id: 'job', token, script, holds: async () => false })
      await until(() => site.lines('effects') === 1)
      for (const pid of processesWith(site.state, ' run job ')) kill(pid)
      expect(await running).toMatchObject({
        outcome: 'exited',
        exitCode: 0,
        files: { out: site.path('jobs/job/out.2') },
      })
      expect(site.read('jobs/job/exit.1')).toBe('lost\n')
    })

    test('whose runner died before its command starts under the next number', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      site.hold.arm('run-looked')
      const script = `echo x >>'${site.path('effects')}'`
      const running = site.slow.runJob({ id: 'job', token, script })
      kill(await site.hold.reached('run-looked'))
      site.hold.free('run-looked')
      expect(await running).toMatchObject({ outcome: 'exited', exitCode: 0 })
      expect([site.lines('effects'), site.read('jobs/job/started.1')]).toEqual([1, ''])
    })

    test(
      'whose runner died before its command, and was ended by a take-over meanwhile, is followed to that end',
      option,
      async () => {
        const site = await ground.site()
        const token = await take(site.host, 'run')
        site.hold.arm('run-looked')
        await site.slowOp(['start', 'job', token, 1, 4, 0], 'true')
        kill(await site.hold.reached('run-looked'))
        expect(await site.op(['wait', 'job', token, 1, 100, 100])).toEqual(new Map([['unstarted', ['1']]]))
        await take(site.host, 'new', 'closed')
        // The attempt that saw it unstarted asks for the second generation only now.
        expect(await site.op(['start', 'job', token, 2, 4, 0], 'true')).toEqual(new Map([['follow', ['1']]]))
        expect(await site.host.runJob({ id: 'job', token, script: 'true' })).toEqual({ outcome: 'fenced' })
      },
    )

    test('is cancelled with all of its group, and with what its ending ends', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      // A child that ignores TERM with a grandchild of its own, and one that leaves the group, as docker exec's do.
      const script = [
        `(trap '' TERM; while :; do sleep 0.05; echo x >>'${site.path('effects')}'; done) &`,
        `setsid sh -c 'echo $$ >"${site.path('left')}"; exec sleep 60' &`,
        'wait',
      ].join('\n')
      const ending = `echo "$1" >>'${site.path('endings')}'\n! kill -0 $(cat '${site.path('left')}') 2>/dev/null || kill -KILL $(cat '${site.path('left')}')\n`
      const abort = new AbortController()
      let progress = 0
      const onProgress = () => (progress += 1)
      const running = site.host.runJob({ id: 'job', token, script, ending, signal: abort.signal, onProgress })
      running.catch(() => undefined)
      await until(() => site.lines('effects') > 0 && site.lines('left') === 1)
      const left = Number(site.read('left'))
      abort.abort()
      expect(await running).toEqual({ outcome: 'cancelled' })
      expect(lives(left)).toBe(false)
      const effects = site.lines('effects')
      await pause(200)
      expect(site.lines('effects')).toBe(effects)
      // Before the group is killed, and once more when it is empty.
      expect(new Set(site.read('endings').trim().split('\n'))).toEqual(new Set(['job']))
      expect(site.lines('endings')).toBeGreaterThanOrEqual(2)
      expect(progress).toBeGreaterThan(0)
      expect(await site.host.runJob({ id: 'job', token, script, ending })).toEqual({ outcome: 'cancelled' })
    })

    test('is not told done by a take-over before its ending says so', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'old')
      const script = 'sleep 60'
      const ending = `[ -e '${site.path('gone')}' ]`
      const running = site.host.runJob({ id: 'job', token, script, ending })
      running.catch(() => undefined) // `Busy` too, when it is the first to see that its runner is gone
      await until(() => site.read('jobs/job/started.1') !== '')
      await expect(acquire(site.host, 'new', 'closed')).rejects.toMatchObject({ type: 'Busy' })
      writeFileSync(site.path('gone'), '')
      expect(await take(site.host, 'new', 'closed')).toBe(token + 1)
      expect(await site.host.runJob({ id: 'job', token, script, ending })).toEqual({ outcome: 'fenced' })
    })

    test('leaves nothing of its group behind when it has exited', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const script = `sleep 60 & echo $! >'${site.path('left')}'; exit 3`
      expect(await site.host.runJob({ id: 'job', token, script })).toMatchObject({ exitCode: 3 })
      expect(lives(Number(site.read('left')))).toBe(false)
    })

    test('brings back the end of its output, and all of it stays on the host', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const script = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); done; printf "é @@end 0" >&2'
      const outcome = await site.host.runJob({ id: 'job', token, script, outputLimitBytes: 10 })
      expect(outcome).toMatchObject({ stdout: 'line 2999\n', stderr: 'é @@end 0' })
      expect(site.lines('jobs/job/out.1')).toBe(3000)
    })

    test('is one script for ever', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      await site.host.runJob({ id: 'job', token, script: 'true' })
      await expect(site.host.runJob({ id: 'job', token, script: 'false' })).rejects.toMatchObject({
        type: 'StepFailed',
      })
      await expect(site.host.runJob({ id: 'job', token, script: 'true', ending: 'true' })).rejects.toMatchObject({
        type: 'StepFailed',
      })
    })

    test('is pruned when it is old and of an older token, and a ghost of it is fenced', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'old')
      const script = `echo x >>'${site.path('effects')}'`
      for (const id of ['aged', 'young']) await site.host.runJob({ id, token, script })
      const later = await take(site.host, 'new', 'closed')
      await site.host.runJob({ id: 'present', token: later, script })
      const longAgo = new Date(Date.now() - 40 * 86_400_000)
      for (const name of ['jobs/aged', 'jobs/present', 'lease/t.1', 'lease/t.2'])
        utimesSync(site.path(name), longAgo, longAgo)
      await site.host.prune({ olderThanDays: 30 })
      expect((await site.host.listJobs()).map((job) => job.id)).toEqual(['present', 'young'])
      expect(readdirSync(site.path('lease')).filter((name) => name.startsWith('t.'))).toEqual(['t.2'])
      expect(await site.host.runJob({ id: 'aged', token, script })).toEqual({ outcome: 'fenced' })
      expect(site.lines('effects')).toBe(3)
    })

    test('that failed keeps its exit while its ending does not succeed', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const request = { id: 'job', token, script: 'exit 9', ending: `[ -e '${site.path('gone')}' ]` }
      await expect(site.host.runJob(request)).rejects.toMatchObject({ type: 'Busy' })
      writeFileSync(site.path('gone'), '')
      expect(await site.host.runJob(request)).toMatchObject({ outcome: 'exited', exitCode: 9 })
    })

    test('that cannot be cancelled says so', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const abort = new AbortController()
      const running = site.host.runJob({ id: 'job', token, script: 'sleep 60', ending: 'exit 1', signal: abort.signal })
      running.catch(() => undefined)
      await until(() => site.read('jobs/job/started.1') !== '')
      abort.abort()
      await expect(running).rejects.toMatchObject({ type: 'Busy' })
    })

    test('does nothing when its script was cut short', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      await expect(site.op(['start', 'job', token, 1, 100, 0], 'true')).rejects.toMatchObject({ type: 'Unreachable' })
      expect(site.read('jobs/job/cmd')).toBe('')
    })
  })

  describe.concurrent(`a reused number of a process under ${shell}`, () => {
    test('is not signalled: another start, another boot, and a group that cannot be told', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'old')
      const strangers = [stranger(), stranger(), stranger()]
      const [started, booted, unclear] = strangers.map((child) => child.pid) as [number, number, number]
      await until(() => strangers.every((child) => groupIs(child.pid as number)))
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      claim(site, 'started', `${started} ${started} proc:1:${boot} ${token}`)
      claim(site, 'booted', `${booted} ${booted} proc:${startOf(booted)}:another ${token}`)
      try {
        // Both are certainly not the job: the take-over ends them by word only.
        expect(await take(site.host, 'new', 'closed')).toBe(token + 1)
        expect([site.read('jobs/started/exit.1'), site.read('jobs/booted/exit.1')]).toEqual([
          'cancelled\n',
          'cancelled\n',
        ])
        // A living group whose leader is gone and whose members carry no mark: neither signalled nor believed gone.
        claim(site, 'unclear', `4194303 ${unclear} proc:1:${boot} ${token}`)
        await expect(acquire(site.host, 'newer', 'closed')).rejects.toMatchObject({ type: 'Busy' })
        expect(strangers.map((child) => lives(child.pid as number))).toEqual([true, true, true])
      } finally {
        for (const child of strangers) child.kill('SIGKILL')
      }
      expect(await take(site.host, 'newer')).toBe(token + 2)
    })
  })

  describe.concurrent(`the lease under ${shell}`, () => {
    test.each([2, 20])('is taken by one of %i takers at once, free or held', option, async (takers) => {
      const site = await ground.site()
      for (const round of [1, 2]) {
        const runs = Array.from({ length: takers }, (_, index) => `r${round}.${index}`)
        // In the second round the holder of the first is closed, and stays closed in the eyes of all.
        const before = (await site.host.readLease()).number
        const mayTake = async (state: { number: number }) => (state.number === before ? ('closed' as const) : undefined)
        const outcomes = await Promise.all(runs.map((run) => site.host.acquire({ holder: holder(run), mayTake })))
        expect(outcomes.filter((outcome) => outcome.outcome === 'acquired')).toEqual([
          { outcome: 'acquired', token: round },
        ])
        expect(outcomes.filter((outcome) => outcome.outcome === 'held')).toHaveLength(takers - 1)
      }
    })

    test('lets a ghost with an old token do nothing, and tells it who holds it', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'old')
      const later = await take(site.host, 'new', 'pre-empted')
      await site.host.appendLedger({ token: later, id: 'new/acquired', entry: {} })
      const script = `echo x >>'${site.path('effects')}'`
      expect(await site.host.runJob({ id: 'ghost', token, script })).toEqual({ outcome: 'fenced' })
      const fenced = { type: 'Fenced', details: { token, by: { number: later, holder: { runId: 'new' } } } }
      await expect(site.host.renew({ token, holder: holder('old') })).rejects.toMatchObject(fenced)
      await expect(site.host.release({ token, holder: holder('old') })).rejects.toMatchObject(fenced)
      await expect(site.host.appendLedger({ token, id: 'old/end', entry: {} })).rejects.toMatchObject(fenced)
      expect(await acquire(site.host, 'old', 'closed')).toMatchObject({ outcome: 'fenced' })
      expect(site.lines('effects')).toBe(0)
    })

    test('says who holds it, since when unrenewed, and which jobs live', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      // Only started: a waiting call would renew the lease under our hands.
      await site.op(['start', 'job', token, 1, 8, 0], 'sleep 60')
      await until(() => site.read('jobs/job/started.1') !== '')
      writeFileSync(site.path(`lease/renewed.${token}`), `${Math.floor(Date.now() / 1000) - 1000}\n`)
      writeFileSync(site.path(`lease/t.${token}`), site.read(`lease/t.${token}`).replace(/"epoch":\d+/, '"epoch":1'))
      const state = await site.host.readLease()
      expect(state).toMatchObject({ number: token, holder: holder('run'), livingJobs: ['job'] })
      expect(state.unrenewedSeconds).toBeGreaterThanOrEqual(1000)
      await site.host.renew({ token, holder: holder('run') })
      expect((await site.host.readLease()).unrenewedSeconds).toBeLessThan(1000)
      await site.host.cancelJob({ id: 'job', token })
      expect((await site.host.readLease()).livingJobs).toEqual([])
    })

    test('is released once, however often that is asked, and then free', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      await Promise.all([1, 2, 3].map(() => site.host.release({ token, holder: holder('run') })))
      expect(await site.host.readLease()).toMatchObject({ number: token + 1, holder: undefined })
      expect(await take(site.host, 'next')).toBe(token + 2)
      await expect(site.host.release({ token, holder: holder('run') })).resolves.toBeUndefined()
    })

    test('ends at its release the jobs that nobody waits for any more', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      await site.op(['start', 'job', token, 1, 8, 0], 'sleep 60')
      await until(() => site.read('jobs/job/started.1') !== '')
      await site.host.release({ token, holder: holder('run') })
      // Ended by whoever saw it first: its runner, by the signal, or the release.
      expect(site.read('jobs/job/exit.1')).toMatch(/^(143|cancelled)$/m)
    })
  })

  describe.concurrent(`the ledger under ${shell}`, () => {
    test('holds one chain of each entry once, whoever appends at once', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      const ids = Array.from({ length: 20 }, (_, index) => `run/step.${index}`)
      const first = site.host.appendLedger({ token, id: 'first', entry: { text: `'é" \\n $(x) \`y\`` } })
      await Promise.all([first, ...[...ids, ...ids].map((id) => site.host.appendLedger({ token, id, entry: { id } }))])
      const records = await site.host.readLedger()
      expect(records.map((record) => record.number)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1))
      expect(records.map((record) => record.id).sort()).toEqual(['first', ...ids].sort())
      expect(records.find((record) => record.id === 'first')?.entry).toEqual({ text: `'é" \\n $(x) \`y\`` })
      expect(await site.host.readLedger({ after: 19 })).toEqual(records.slice(19))
      expect(await site.host.readLedger({ after: 21 })).toEqual([])
    })

    test('is refused when an entry was changed or removed', option, async () => {
      const site = await ground.site()
      const token = await take(site.host, 'run')
      for (const id of ['a', 'b', 'c']) await site.host.appendLedger({ token, id, entry: { by: 'me' } })
      const file = 'ledger/00000002.json'
      const text = site.read(file)
      writeFileSync(site.path(file), text.replace('"me"', '"you"'))
      await expect(site.host.readLedger()).rejects.toMatchObject({ type: 'Refused' })
      writeFileSync(site.path(file), '')
      await expect(site.host.readLedger()).rejects.toMatchObject({ type: 'Refused' })
      writeFileSync(site.path(file), text)
      expect(await site.host.readLedger()).toHaveLength(3)
    })

    test('is read as far as it can be where it is the audit record, with all that is wrong', option, async () => {
      const site = await ground.site()
      await take(site.host, 'run-1')
      for (const id of ['a', 'b', 'c', 'd']) await site.host.appendAudit({ id, entry: { by: 'me' } })
      const [two, three] = ['audit/00000002.json', 'audit/00000003.json']
      const texts = [site.read(two), site.read(three)] as const
      const damage = async (second: string, third: string) => {
        writeFileSync(site.path(two), second)
        writeFileSync(site.path(three), third)
        return (await site.host.readAudit()).damage.map(({ number, what }) => `${number} ${what}`)
      }
      const follows = 'does not follow from the one before it'
      expect(await damage(...texts)).toEqual([])
      expect(await damage(texts[0].replace('"me"', '"you"'), texts[1])).toEqual([`3 ${follows}`])
      expect(await damage(texts[0], '{"number":null}\n')).toEqual(['3 cannot be read', `4 ${follows}`])
      expect(await damage(texts[1], texts[0])).toEqual([
        '2 is missing, 3 follows',
        '4 is missing, 2 follows',
        '3 is missing, 4 follows',
      ])
      expect(await damage('', texts[1])).toEqual(['2 is missing, 3 follows'])
      expect((await site.host.readAudit()).records).toMatchObject([{ number: 1, id: 'a', void: false }, {}, {}])
    })
  })

  describe.concurrent(`a timer under ${shell}`, () => {
    test('runs once, outlives a take-over, and is armed again when it died', option, async () => {
      const site = await ground.site()
      await take(site.host, 'old')
      const script = `echo $$ >>'${site.path('timer')}'; while [ ! -e '${site.path('go')}' ]; do sleep 0.05; done; echo done >>'${site.path('effects')}'`
      const arm = () => site.host.armTimer({ name: 'reopen.1', script })
      await Promise.all([arm(), arm(), arm()])
      await take(site.host, 'new', 'closed')
      await until(() => site.lines('timer') === 1)
      // By its claim: one that came second may still be on its way out.
      const pid = Number(site.read('timers/reopen.1/claim.1').split(' ')[0])
      kill(-pid)
      await until(() => !lives(pid))
      await arm()
      await until(() => site.lines('timer') === 2)
      writeFileSync(site.path('go'), '')
      await until(() => site.read('timers/reopen.1/done') !== '')
      await arm()
      expect([site.lines('timer'), site.lines('effects')]).toEqual([2, 1])
    })
  })
}

// One attempt over a connection of its own, which is cut.
async function cut(ground: Ground, site: Site, job: Parameters<Site['host']['runJob']>[0], afterMs: number) {
  const connection = await ground.sshd.connect()
  const attempt = site.over(async () => connection).runJob(job)
  attempt.catch(() => undefined)
  await pause(afterMs)
  connection.destroy()
  await attempt.then(wordOf, typeOf)
}

// One attempt whose processes on the host are killed while they start the job or wait for it; not its runner.
async function killAttempt(site: Site, job: Parameters<Site['host']['runJob']>[0], afterMs: number) {
  const attempt = site.host.runJob(job).then(wordOf, typeOf)
  await pause(afterMs)
  for (const word of [' start ', ' wait ']) killWith(site.state, `${word}${job.id} `)
  await attempt
}

async function inTurns(count: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await act((next += 1))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** What comes to no end fails with what was under way, which the runner's own limit does not tell. */
async function orTell(ms: number, work: Promise<void>, underWay: () => readonly string[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${ms} ms: ${underWay().join('; ')}`)), ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function wordOf(outcome: JobOutcome): string {
  return outcome.outcome === 'exited' ? `exited ${outcome.exitCode}` : outcome.outcome
}

function typeOf(error: unknown): string {
  return (error as { type?: string }).type ?? String(error)
}

function claim(site: Site, id: string, line: string): void {
  mkdirSync(site.path(`jobs/${id}`))
  writeFileSync(site.path(`jobs/${id}/started.1`), '1\n')
  writeFileSync(site.path(`jobs/${id}/claim.1`), `${line}\n`)
}

/** A process that leads a group of its own and has nothing to do with any job. */
function stranger(): ChildProcess {
  return spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
}

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19] ?? ''
}

function groupIs(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[2]) === pid
}
