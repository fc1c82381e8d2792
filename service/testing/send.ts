export interface Answer<T> {
  readonly status: number
  readonly body: T & { readonly code?: string; readonly detail?: string }
}

/** The answer whatever its status. A body that is text is sent as it is. */
export async function send<T>(url: string, method: string, body: unknown, headers: Record<string, string>): Promise<Answer<T>> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(text === undefined ? {} : { body: text }),
    signal: AbortSignal.timeout(20_000),
  })
  const said = await response.text()
  return { status: response.status, body: (said === '' ? {} : JSON.parse(said)) as Answer<T>['body'] }
}
