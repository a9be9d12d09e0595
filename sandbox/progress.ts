/** Takes one finished line for a person. */
export type Progress = (line: string) => void

/** Does one thing and says in one line what it was and how long it took; `done` may add a detail. */
export async function timed<T>(
  progress: Progress,
  title: string,
  act: (detail: (text: string) => void) => Promise<T>,
): Promise<T> {
  const start = performance.now()
  let detail = ''
  const line = (mark: string) => progress(`${mark} ${title}${detail} (${seconds(performance.now() - start)})`)
  try {
    const result = await act((text) => (detail = `: ${text}`))
    line('ok  ')
    return result
  } catch (error) {
    line('FAIL')
    throw error
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
