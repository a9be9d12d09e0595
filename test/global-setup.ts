// Once for all test files: the workflows as one bundle, the server that skips time, and the development server.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker'
import type { TestProject } from 'vitest/node'
import { temporalCli, temporalTestServer } from '../sandbox/install/temporal.js'

declare module 'vitest' {
  export interface ProvidedContext {
    readonly workflowBundlePath: string
    readonly temporalTestServer: string
    readonly temporalCli: string
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'stepback-bundle-'))
  const [bundlePath, server, cli] = await Promise.all([bundled(directory), temporalTestServer(), temporalCli()])
  project.provide('workflowBundlePath', bundlePath)
  project.provide('temporalTestServer', server)
  project.provide('temporalCli', cli)
  return () => rmSync(directory, { recursive: true, force: true })
}

/** What `npm test` has just built, else one of the sources as they are now. */
async function bundled(directory: string): Promise<string> {
  const built = process.env['STEPBACK_WORKFLOW_BUNDLE']
  if (built !== undefined) return built
  const workflowsPath = fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url))
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })
  const path = join(directory, 'workflows.cjs')
  writeFileSync(path, code)
  return path
}
