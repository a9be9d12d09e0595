// Each counterexample of the model on lease, jobs and ledger, made to happen on the real helper: a story that throws
// when a promise is broken, and the flaw under which it must.
import { acquire, holder, kill, lives, pause, take } from './ground.js'
import type { Flaw, Site } from './ground.js'

export interface Counterexample {
  readonly name: string
  readonly flaw: Flaw
  readonly story: (site: Site) => Promise<void>
}

/** A job that acts until it is ended. */
const acting = (site: Site) => `while :; do echo x >>'${site.path('effects')}'; sleep 0.02; done`

export const counterexamples: readonly Counterexample[] = [
  {
    name: 'LINKFIRST: a runner that claims after a take-over acts no more',
    flaw: [
      ['  pause run-claim\n', '  in_force "$2" || exit 0\n  pause run-claim\n'],
      ['  if ! in_force "$2"; then\n    put "$JOB/exit.$3" fenced', '  if false; then\n    put "$JOB/exit.$3" fenced'],
    ],
    story: async (site) => {
      const token = await take(site.host, 'old')
      site.hold.arm('run-claim')
      const ghost = site.slow.runJob({ id: 'ghost', token, script: acting(site) })
      ghost.catch(() => undefined)
      await site.hold.reached('run-claim')
      await take(site.host, 'new', 'pre-empted')
      site.hold.free('run-claim')
      await quiet(site, 'ghost')
      expectThat((await ghost).outcome === 'fenced', 'the ghost learns that it is fenced')
    },
  },
  {
    name: 'LINKFIRST: a take-over returns only when a runner that has claimed and looked is gone',
    flaw: [
      [
        '    end_job cancelled || sw_stuck=',
        '    [ ! -e "$JOB/started.$JOB_GENERATION" ] || end_job cancelled || sw_stuck=',
      ],
    ],
    story: async (site) => {
      const token = await take(site.host, 'old')
      site.hold.arm('run-looked')
      const ghost = site.slow.runJob({ id: 'ghost', token, script: acting(site) })
      ghost.catch(() => undefined)
      const runner = await site.hold.reached('run-looked')
      await take(site.host, 'new', 'pre-empted')
      const alive = lives(runner)
      site.hold.free('run-looked')
      expectThat(!alive, 'the runner is gone')
      await quiet(site, 'ghost')
      expectThat((await ghost).outcome === 'fenced', 'the ghost learns that it is fenced')
    },
  },
  {
    name: 'SWEEPAFTER: a job that starts while a take-over is under way is ended before it returns',
    flaw: [
      ['    pause acquire-link\n', '    sweep "$((aq_top + 1))"\n    pause acquire-link\n'],
      ['  sweep "$aq_token"\n', ''],
    ],
    story: async (site) => {
      const token = await take(site.host, 'old')
      site.hold.arm('acquire-link')
      const taking = acquire(site.slow, 'new', 'expired')
      await site.hold.reached('acquire-link')
      const job = site.host.runJob({ id: 'job', token, script: acting(site) })
      job.catch(() => undefined)
      await started(site)
      site.hold.free('acquire-link')
      expectThat((await taking).outcome === 'acquired', 'the lease is taken')
      await quiet(site, 'job')
      expectThat((await job).outcome === 'fenced', 'the old run learns that it is fenced')
    },
  },
  {
    name: 'SWEEP=1: a command whose runner was killed alone is ended by a take-over',
    flaw: [['  while :; do\n    group_of "$1"', '  while :; do\n    alive "$1" "$3" || return 0\n    group_of "$1"']],
    story: async (site) => {
      const token = await take(site.host, 'old')
      await site.op(['start', 'job', token, 1, acting(site).length, 0], acting(site))
      await started(site)
      kill(Number(site.read('jobs/job/started.1')))
      await take(site.host, 'new', 'closed')
      await quiet(site, 'job')
    },
  },
  {
    name: 'ENDLAST: what left the group while it was ended is ended by a take-over',
    flaw: [['  pause end-ended\n  if ! run_ending; then', '  pause end-ended\n  if false; then']],
    story: async (site) => {
      const token = await take(site.host, 'old')
      const left = site.path('left')
      const child = `echo $$ >"${left}"; while :; do echo x >>"${site.path('effects')}"; sleep 0.02; done`
      const detach = `require("child_process").spawn("sh", ["-c", process.argv[1]], { detached: true, stdio: "ignore" }).unref()`
      const script = [
        `leave() { trap '' TERM; '${process.execPath}' -e '${detach}' '${child}'; while [ ! -s '${left}' ]; do sleep 0.02; done; exit 1; }`,
        `trap leave TERM; echo x >'${site.path('ready')}'; while :; do sleep 0.05; done`,
      ].join('\n')
      const ending = `[ ! -s '${left}' ] || kill -KILL $(cat '${left}') 2>/dev/null || :`
      await site.op(['start', 'job', token, 1, script.length, ending.length], script + ending)
      while (site.lines('ready') === 0) await pause(10)
      // Else the runner would see to it, as soon as its command is gone.
      kill(Number(site.read('jobs/job/started.1')))
      await take(site.host, 'new', 'closed')
      await quiet(site, 'job')
    },
  },
  {
    name: 'RESCAN: the retry of a taker that died after its link ends the older jobs',
    flaw: [['      aq_token=$aq_top\n      break', '      printf "acquired %s\\n" "$aq_top"\n      return']],
    story: async (site) => {
      const token = await take(site.host, 'old')
      const job = site.host.runJob({ id: 'job', token, script: acting(site) })
      job.catch(() => undefined)
      await started(site)
      site.hold.arm('acquire-sweep')
      const dying = acquire(site.slow, 'new', 'closed')
      dying.catch(() => undefined)
      kill(await site.hold.reached('acquire-sweep'))
      expectThat((await take(site.host, 'new')) === token + 1, 'the retry finds its own number')
      await quiet(site, 'job')
    },
  },
  {
    name: 'REL: a run learns at its release that it was fenced',
    flaw: [['  elif content "$rl_next" && [ -n "$FREE" ] && names_us; then', '  elif :; then']],
    story: async (site) => {
      const token = await take(site.host, 'old')
      site.hold.arm('release-link')
      const releasing = site.slow.release({ token, holder: holder('old') })
      releasing.catch(() => undefined)
      await site.hold.reached('release-link')
      await take(site.host, 'new', 'pre-empted')
      site.hold.free('release-link')
      expectThat((await typeOf(releasing)) === 'Fenced', 'the release is refused')
      expectThat((await site.host.readLease()).holder?.runId === 'new', 'the new holder keeps the lease')
    },
  },
  {
    name: 'RELSWEEP: a release ends the jobs that nobody waits for any more',
    flaw: [['  (sweep "$1") >/dev/null\n', '']],
    story: async (site) => {
      const token = await take(site.host, 'run')
      await site.op(['start', 'job', token, 1, acting(site).length, 0], acting(site))
      await started(site)
      await site.host.release({ token, holder: holder('run') })
      await quiet(site, 'job')
    },
  },
  {
    name: 'IDALL: an identity that held the lease once does not acquire it again',
    flaw: [['    if [ "$US" -gt 0 ]; then\n', '    if false; then\n']],
    story: async (site) => {
      site.hold.arm('acquire-sweep')
      const dying = acquire(site.slow, 'first')
      dying.catch(() => undefined)
      kill(await site.hold.reached('acquire-sweep'))
      const token = await take(site.host, 'second', 'pre-empted')
      await site.host.release({ token, holder: holder('second') })
      expectThat((await acquire(site.host, 'first')).outcome === 'fenced', 'the first is fenced for good')
    },
  },
  {
    name: 'IDORDER: a slow attempt of a finished run does not take the lease',
    flaw: [
      [
        '    top\n    aq_top=$TOP\n    pause acquire-listed\n',
        '    find_us\n    pause acquire-listed\n    top\n    aq_top=$TOP\n',
      ],
      ['    find_us\n    [ "$US" -gt "$aq_top" ] && continue\n', '    [ "$US" -gt "$aq_top" ] && continue\n'],
    ],
    story: async (site) => {
      site.hold.arm('acquire-listed')
      const slow = acquire(site.slow, 'run')
      await site.hold.reached('acquire-listed')
      const token = await take(site.host, 'run')
      await site.host.release({ token, holder: holder('run') })
      site.hold.free('acquire-listed')
      expectThat((await slow).outcome === 'fenced', 'the slow attempt is fenced')
      expectThat((await site.host.readLease()).holder === undefined, 'the lease stays free')
    },
  },
  {
    name: 'NAMEGEN: a generation starts only after the one before it was judged',
    flaw: [['  [ "$LAST" = "$mf_before" ] || return 1\n', '  return 0\n']],
    story: async (site) => {
      const token = await take(site.host, 'run')
      await loseJob(site, token, 1)
      await site.op(['judge', 'job', token, 1, 'again'])
      await loseJob(site, token, 2)
      // The other attempt, which judged 1 too, asks for what it judged, and then for what nobody judged.
      for (const generation of [2, 3]) {
        await site.op(['start', 'job', token, generation, acting(site).length, 0], acting(site))
      }
      const third = await site.op(['wait', 'job', token, 3, 65, 100])
      expectThat(third.has('unclaimed'), 'there is no third generation')
      await quiet(site)
    },
  },
  {
    name: 'VERDICT: a lost job is judged once, whatever a later look sees',
    flaw: [
      ['  put "$JOB/judged.$3" "$4" sync\n  read -r jd_verdict <"$JOB/judged.$3"\n', '  jd_verdict=$4\n'],
      ['    [ "$mf_verdict" = again ]\n', '    :\n'],
      [
        '  if [ -e "$JOB/judged.$mf_before" ]; then\n    read -r mf_verdict <"$JOB/judged.$mf_before"\n',
        '  if :; then\n',
      ],
    ],
    story: async (site) => {
      const token = await take(site.host, 'run')
      await loseJob(site, token, 1)
      const request = { id: 'job', token, script: acting(site) }
      const first = await site.host.runJob({ ...request, holds: async () => true })
      expectThat(first.outcome === 'done', 'the first look accepts it')
      const signal = AbortSignal.timeout(3_000)
      const second = await site.host.runJob({ ...request, signal, holds: async () => false })
      expectThat(second.outcome === 'done', 'the second look obeys')
      await quiet(site)
    },
  },
  {
    name: 'SEAL: a runner that claims after the undo began acts no more',
    flaw: [['  [ -e "$JOB/cancel" ] || put "$JOB/cancel" "$2" sync\n', '']],
    story: async (site) => {
      const token = await take(site.host, 'run')
      site.hold.arm('run-claim')
      const ghost = site.slow.runJob({ id: 'job', token, script: acting(site) })
      ghost.catch(() => undefined)
      await site.hold.reached('run-claim')
      await site.host.cancelJob({ id: 'job', token })
      await site.host.runJob({ id: 'undo', token, script: 'true' })
      site.hold.free('run-claim')
      await quiet(site, 'job')
      expectThat((await ghost).outcome === 'cancelled', 'the ghost learns that it was cancelled')
    },
  },
  {
    name: 'SEAL: a cancel that meets a runner between its claim and its look ends it',
    flaw: [
      ['    end_job cancelled || fail stuck', '    : || fail stuck'],
      ['  if [ -e "$JOB/cancel" ]; then', '  if false; then'],
    ],
    story: async (site) => {
      const token = await take(site.host, 'run')
      site.hold.arm('run-claimed')
      const ghost = site.slow.runJob({ id: 'job', token, script: acting(site) })
      ghost.catch(() => undefined)
      await site.hold.reached('run-claimed')
      const cancelling = site.host.cancelJob({ id: 'job', token })
      await pause(200)
      site.hold.free('run-claimed')
      await cancelling
      await quiet(site, 'job')
      expectThat((await ghost).outcome === 'cancelled', 'the ghost learns that it was cancelled')
    },
  },
  {
    name: 'LFENCE: an entry of a fenced run is void, and its writer learns it',
    flaw: [['    ap_high=$(($2 > HIGH ? $2 : HIGH))', '    ap_high=$2']],
    story: async (site) => {
      const token = await take(site.host, 'old')
      await site.host.appendLedger({ token, id: 'old/acquired', entry: {} })
      site.hold.arm('append-link')
      const ending = site.slow.appendLedger({ token, id: 'old/end', entry: { end: 'done' } })
      ending.catch(() => undefined)
      await site.hold.reached('append-link')
      const later = await take(site.host, 'new', 'pre-empted')
      await site.host.appendLedger({ token: later, id: 'new/acquired', entry: {} })
      site.hold.free('append-link')
      expectThat((await typeOf(ending)) === 'Fenced', 'the writer learns that it is fenced')
      const records = await site.host.readLedger()
      const seen = records.map((record) => `${record.id}${record.void ? ' void' : ''}`).join(', ')
      expectThat(seen === 'old/acquired, new/acquired, old/end void', `every reader sees it void: ${seen}`)
      // A retry of the ghost finds its entry, and learns the same.
      const again = site.host.appendLedger({ token, id: 'old/end', entry: { end: 'done' } })
      expectThat((await typeOf(again)) === 'Fenced', 'the retry learns it too')
    },
  },
  {
    name: 'ORDER: a job runs only under a token that is in force at that moment, so a fenced start entry has no job',
    flaw: [['  if ! in_force "$2"; then\n    put', '  if false; then\n    put']],
    story: async (site) => {
      const token = await take(site.host, 'old')
      await take(site.host, 'new', 'closed')
      expectThat((await typeOf(site.host.appendLedger({ token, id: 'old/step', entry: {} }))) === undefined, 'appended')
      const job = await site.host.runJob({ id: 'job', token, script: `echo x >>'${site.path('effects')}'` })
      expectThat(job.outcome === 'fenced', 'the job is fenced')
      await quiet(site)
    },
  },
  {
    name: 'RESET=1: a reset run does not go on under the token of its earlier run id',
    flaw: [['  content "$1" && names_us && [ -z "$FREE" ] && in_force "$1"', '  in_force "$1"']],
    story: async (site) => {
      const before = holder('before', 'deploy-aria')
      const reset = holder('after', 'deploy-aria')
      const taken = await site.host.acquire({ holder: before, mayTake: async () => undefined })
      const token = taken.outcome === 'acquired' ? taken.token : 0
      expectThat((await typeOf(site.host.renew({ token, holder: reset }))) === 'StaleLease', 'renewing is refused')
      const entry = { token, id: 'after/start', entry: {}, holder: reset }
      expectThat((await typeOf(site.host.appendLedger(entry))) === 'StaleLease', 'beginning a step is refused')
      expectThat((await site.host.readLedger()).length === 0, 'and not written')
      expectThat((await typeOf(site.host.release({ token, holder: reset }))) === 'StaleLease', 'releasing is refused')
    },
  },
]

// Kills a generation's runner and its command between start and exit, and lets the helper find that out.
async function loseJob(site: Site, token: number, generation: number): Promise<void> {
  const script = acting(site)
  await site.op(['start', 'job', token, generation, script.length, 0], script)
  while (site.read(`jobs/job/started.${generation}`) === '') await pause(10)
  kill(-groupOf(site, 'job', generation))
  await site.op(['wait', 'job', token, generation, 100, 100])
  expectThat(site.read(`jobs/job/exit.${generation}`) === 'lost\n', 'the job is lost')
}

async function started(site: Site): Promise<void> {
  while (site.lines('effects') === 0) await pause(10)
}

/** Nothing acts any more: the file of effects stays as it is while an acting job would write a dozen lines. */
async function quiet(site: Site, id?: string): Promise<void> {
  const before = site.lines('effects')
  // A runner that was let go needs its time to do wrong.
  for (let round = 0; id && round < 200 && !/exit\.\d/.test(filesOf(site, id)); round += 1) {
    await pause(10)
    if (site.lines('effects') > before) break
  }
  await pause(300)
  const after = site.lines('effects')
  if (after > before) for (const pid of groupsOf(site)) kill(-pid)
  expectThat(after === before, `nothing acts any more, but ${after - before} effects followed`)
}

function filesOf(site: Site, id: string): string {
  return [1, 2, 3]
    .map((generation) => (site.read(`jobs/${id}/exit.${generation}`) ? `exit.${generation}` : ''))
    .join(' ')
}

function groupsOf(site: Site): readonly number[] {
  return ['job', 'ghost'].flatMap((id) => [1, 2, 3].map((one) => groupOf(site, id, one)).filter((group) => group > 1))
}

function groupOf(site: Site, id: string, generation: number): number {
  return Number(site.read(`jobs/${id}/claim.${generation}`).split(' ')[1])
}

async function typeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error as { type?: string }).type ?? String(error),
  )
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected: ${what}`)
}
