// An operator who has only a browser: a real Chromium before Temporal's own Web UI, which reaches nothing but loopback.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type Page, chromium } from 'playwright-core'
import { expect } from 'vitest'
import { chromium as findChromium } from '../../sandbox/install/browser.js'
import type { Sandbox } from '../../sandbox/index.js'
import type { Progress } from '../../src/plan/progress.js'
import type { Operator } from './operator.js'

/** Nothing of it talks to anybody by itself; as root it has no sandbox of its own. */
const switches = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** Busy machines are slow, and it is a run of a whole sandbox that is looked at. */
const patienceMs = 90_000

/** As somebody does who has nothing but a browser: reads, is refused, approves, and sees it done. */
export async function answerInBrowser(operator: Operator, ui: WebUi, run: string): Promise<Progress> {
  const waiting = await operator.until(run, (progress) => progress.phase === 'waiting-for-approval')
  await ui.see(run)
  await ui.timeline('deadline to approve')
  const details = await ui.details(/waits for a person/)
  expect(details).toContain(`stepback approve ${run} --by YOU`)
  for (const { table } of waiting.plan!.exposure!.tables) expect(details).toContain(table)
  for (const { title } of waiting.steps) expect(details).toContain(title)
  await ui.picture('web-ui-gate')
  const [, shown] = /Send an Update, approve:\s+(\{.*\})/.exec(details)!
  const refused = await ui.update('approve', { by: 'ada', digest: '00000000' })
  expect(refused).toContain(`digest: this plan's is ${waiting.plan!.digest}`)
  expect(await ui.update('approve', { ...JSON.parse(shown!), by: 'ada' })).toBe('')
  await operator.until(run, (progress) => progress.finishedAt !== null)
  const later = await ui.anew()
  await later.see(run)
  const numbered = waiting.steps.map(({ title }, index) => `${index + 1}/${waiting.steps.length} ${title}`)
  const timeline = await later.timeline(numbered.at(-1)!)
  for (const step of numbered) expect(timeline).toContain(step)
  await later.picture('rollback')
  const told = await later.details(/· done/)
  expect(told.match(/✔/g)).toHaveLength(waiting.steps.length)
  await later.close()
  return waiting
}

export class WebUi {
  static async open(sandbox: Sandbox): Promise<WebUi> {
    const profile = mkdtempSync(join(tmpdir(), 'stepback-browser-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: await findChromium(),
      args: switches,
      viewport: { width: 1440, height: 1200 },
      timeout: patienceMs,
    })
    context.setDefaultTimeout(patienceMs)
    return new WebUi(sandbox, profile, context, context.pages()[0] ?? (await context.newPage()))
  }

  private constructor(
    private readonly sandbox: Sandbox,
    private readonly profile: string,
    private readonly context: BrowserContext,
    private readonly page: Page,
  ) {}

  /** As somebody who comes back later, with a browser that has not watched the run. */
  async anew(): Promise<WebUi> {
    await this.close()
    return await WebUi.open(this.sandbox)
  }

  /** Opens a run as it is now; what a busy machine's page never gets to show is opened again, as a person would. */
  async see(run: string): Promise<void> {
    const { ui, namespace } = this.sandbox.temporal
    const timeout = patienceMs / 2
    for (let time = 1; ; time++) {
      await this.page.goto(`${ui}/namespaces/${namespace}/workflows/${run}`)
      const shown = this.page.getByRole('button', { name: 'More Actions' }).waitFor({ timeout })
      const late: unknown = await shown.then(() => null).catch((error: unknown) => error)
      if (late === null) return
      if (time === 3) throw late
    }
  }

  /** What stands in its timeline, as soon as this does. */
  async timeline(until: string): Promise<string> {
    await this.#tab('Timeline')
    await this.page.getByText(until).first().waitFor()
    return await this.page.locator('main').innerText()
  }

  /** The run's own page, as it reads once it says so. */
  async details(until: RegExp): Promise<string> {
    await this.#tab('User Metadata')
    const body = this.page.frameLocator('iframe').last().locator('body')
    await body.filter({ hasText: until }).waitFor()
    // It makes typographer's quotes of what the run wrote.
    return (await body.innerText()).replaceAll(/[“”]/g, '"')
  }

  /** Fills in the form of an update; comes back with what it says against it, or nothing once it is taken. */
  async update(name: string, data: object): Promise<string> {
    await this.page.getByRole('button', { name: 'More Actions' }).click()
    await this.page.getByRole('menuitem', { name: 'Send an Update' }).click()
    const dialog = this.page.getByRole('dialog', { name: 'Send an Update' })
    await dialog.getByTestId('update-select-button').click()
    await dialog.getByRole('option', { name }).first().click()
    const editor = dialog.getByRole('textbox', { name: 'Data' })
    await editor.fill(JSON.stringify(data))
    await editor.blur() // it lays the text out anew, and the button moves
    await dialog.getByRole('button', { name: 'Submit' }).click()
    const refused = dialog.getByRole('alert').filter({ hasText: /\S/ })
    await refused.or(this.page.locator('body:not(:has(dialog[open]))')).first().waitFor()
    const said = (await refused.count()) > 0 ? await refused.first().innerText() : ''
    if (said !== '') await dialog.getByRole('button', { name: 'Cancel' }).last().click()
    return said
  }

  async close(): Promise<void> {
    await this.context.close()
    rmSync(this.profile, { recursive: true, force: true })
  }

  /** Kept where STEPBACK_PICTURES names a directory: the pictures of the documents are made so. */
  async picture(name: string): Promise<void> {
    const directory = process.env['STEPBACK_PICTURES']
    if (directory !== undefined) await this.page.screenshot({ path: join(directory, `${name}.png`) })
  }

  async #tab(name: string): Promise<void> {
    await this.page.getByRole('tab', { name }).click()
  }
}
