/** All at once. What fails waits for the others: nothing of an act may go on behind its end. */
export async function together<T extends readonly unknown[] | []>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const ended = await Promise.allSettled(work)
  for (const it of ended) if (it.status === 'rejected') throw it.reason
  return ended.map((it) => (it as PromiseFulfilledResult<unknown>).value) as never
}
