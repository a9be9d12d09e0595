// A real Chromium, which reaches nothing but loopback and notes what its page meets.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type Page, type Request, chromium } from 'playwright-core'
import { chromium as findChromium } from '../../sandbox/install/browser.js'

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
export const patienceMs = 90_000

export class Browser {
  /** When each request was sent that is not answered yet. */
  readonly #asked = new Map<Request, number>()
  readonly #met: string[] = []

  static async open(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'stepback-browser-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: await findChromium(),
      args: switches,
      viewport: { width: 1440, height: 1200 },
      timeout: patienceMs,
    })
    context.setDefaultTimeout(patienceMs)
    return new Browser(profile, context, context.pages()[0] ?? (await context.newPage()))
  }

  private constructor(
    private readonly profile: string,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('request', (request) => this.#asked.set(request, Date.now()))
    page.on('requestfinished', (request) => this.#asked.delete(request))
    page.on('requestfailed', (request) => {
      this.#asked.delete(request)
      this.#met.push(`${request.url()} failed: ${request.failure()?.errorText}`)
    })
    page.on('response', (response) => {
      if (!response.ok()) this.#met.push(`${response.url()} answered ${response.status()}`)
    })
    page.on('pageerror', ({ message }) => this.#met.push(`a script failed: ${message}`))
    page.on('crash', () => this.#met.push('the page crashed'))
  }

  /** What the page shows, what it met on its way there, and what it waits for. */
  async account(): Promise<string> {
    const text = await this.page.locator('body').innerText({ timeout: 5_000 }).catch(String)
    const open = [...this.#asked].map(([request, at]) => `${request.url()} waits for ${Date.now() - at} ms`)
    return [`${this.page.url()} shows ${JSON.stringify(text)}`, ...this.#met, ...open].join('\n')
  }

  async close(): Promise<void> {
    await this.context.close()
    rmSync(this.profile, { recursive: true, force: true })
  }
}
