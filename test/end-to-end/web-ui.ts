// An operator who has only a browser, before Temporal's own Web UI.

import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Sandbox } from '../../sandbox/index.js'
import type { Progress } from '../../src/plan/progress.js'
import { Browser, patienceMs } from './browser.js'
import type { Operator } from './operator.js'

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
  await ui.anew()
  await ui.see(run)
  const numbered = waiting.steps.map(({ title }, index) => `${index + 1}/${waiting.steps.length} ${title}`)
  const timeline = await ui.timeline(numbered.at(-1)!)
  for (const step of numbered) expect(timeline).toContain(step)
  await ui.picture('rollback')
  const told = await ui.details(/· done/)
  expect(told.match(/✔/g)).toHaveLength(waiting.steps.length)
  return waiting
}

export class WebUi {
  static async open(sandbox: Sandbox): Promise<WebUi> {
    return new WebUi(sandbox, await Browser.open())
  }

  private constructor(
    private readonly sandbox: Sandbox,
    private browser: Browser,
  ) {}

  private get page(): Page {
    return this.browser.page
  }

  /** As somebody who comes back later, with a browser that has seen nothing yet. */
  async anew(): Promise<void> {
    await this.close()
    this.browser = await Browser.open()
  }

  /** Opens a run as it is now; where a busy machine's page never gets to show it, another browser may. */
  async see(run: string): Promise<void> {
    const { ui, namespace } = this.sandbox.temporal
    for (const accounts: string[] = []; ; await this.anew()) {
      await this.page.goto(`${ui}/namespaces/${namespace}/workflows/${run}`)
      const shown = this.page.getByRole('button', { name: 'More Actions' }).waitFor({ timeout: patienceMs / 2 })
      const late: unknown = await shown.catch((error: unknown) => error)
      if (late === undefined) return
      accounts.push(await this.browser.account())
      if (accounts.length === 3) throw new Error(`the page of ${run} was never shown:\n${accounts.join('\n')}`)
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
    await this.browser.close()
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
