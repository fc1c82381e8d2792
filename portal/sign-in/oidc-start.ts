/** What the service takes as a way back. */
const LONGEST = 1_000

/** Where a sign-in through a provider begins; it ends at the page that was asked for. */
export function startOf(provider: string, { pathname, search, hash }: Pick<Location, 'pathname' | 'search' | 'hash'>): string {
  const back = pathname + search + hash
  const query = back === '/' || back.length > LONGEST ? '' : `?${new URLSearchParams({ back })}`
  return `/v1/oidc/${encodeURIComponent(provider)}/start${query}`
}
