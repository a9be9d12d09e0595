// What the scripts share. Nothing but Node: they run before anything is installed.

import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs one step and prints a line for it; `work` is a command, a function, or why nothing is to do. Throws on failure. */
export async function runStep(title, work, env = process.env) {
  const start = performance.now()
  const line = (mark, detail = '') => {
    console.log(`${mark} ${title}${detail && `: ${detail}`} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  }
  try {
    if (typeof work === 'string') return line('ok  ', work)
    line('ok  ', typeof work === 'function' ? await work() : await runCommand(work, env))
  } catch (error) {
    line('FAIL')
    throw error
  }
}

/** A program of the packages that are installed here. */
export function bin(name) {
  return join(root, 'node_modules', '.bin', name)
}

/** Runs a command to its end, its output shown as it comes. */
export function runCommand([program, ...args], env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve('')
      else reject(new Error(`"${[program, ...args].join(' ')}" ended with exit status ${code}`))
    })
  })
}

/** Ends the script in the way that a shell expects. */
export async function main(act) {
  try {
    await act()
  } catch (error) {
    console.error(`error: ${error.message}`)
    process.exitCode = 1
  }
}
