/** How long what is known may wait for what is so: a database that is away must not hold up each query. */
const PATIENCE_MS = 200

/** A question to the database that is on its way. */
export interface Asking<Value> {
  readonly answer: Promise<Value>
  /** Monotonic. */
  readonly since: number
}

/**
 * The answer; or what is known, where the answer does not come soon. The question goes on: whoever asks after it has been answered
 * gets the new one. What fails is for `answer` to judge.
 */
export function soonOrKnown<Value>({ answer, since }: Asking<Value>, known: Value | undefined, now: number): Value | Promise<Value> {
  if (known === undefined) return answer
  if (now - since >= PATIENCE_MS) return known
  const { promise: late, resolve } = Promise.withResolvers<Value>()
  const timer = setTimeout(() => resolve(known), PATIENCE_MS)
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
