import { setFlagsFromString } from 'node:v8'

/** V8's own factor by which the space of young objects grows with what survives in it. */
const GROWS = 2
const STAYS = 1

let holders = 0

/**
 * While this is not disposed, the space of young objects does not grow: up to 130 MB otherwise, and what is in buffers outside of it, which V8
 * does not count there, waits for it to be full. Bytes that only pass through are then given back soon. Not for a process that only
 * answers small queries: these cost a tenth more.
 */
export function keepYoungSmall(): Disposable {
  holders += 1
  if (holders === 1) grow(STAYS)
  let held = true
  return {
    [Symbol.dispose]: () => {
      if (!held) return
      held = false
      holders -= 1
      if (holders === 0) grow(GROWS)
    },
  }
}

/** Read by V8 whenever it thinks of growing. */
function grow(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`)
}
