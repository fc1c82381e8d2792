/** Two things at once: when one fails the other is stopped, and both have ended before this does. */
export async function bothOrNone<A, B>(
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
  signal: AbortSignal,
): Promise<[A, B]> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  let cause: unknown
  const guard = <Value>(work: Promise<Value>) =>
    work.catch((thrown: unknown) => {
      cause ??= thrown
      failed.abort()
      throw thrown
    })
  const [a, b] = await Promise.allSettled([guard(first(either)), guard(second(either))])
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value]
  throw cause
}
