import { api, KEYS, queryClient } from '../app/client.ts'

/** The group's page shows it and the person's, and with it changes what is allowed, also to oneself. */
export async function reread(): Promise<void> {
  await Promise.all([KEYS.groups, KEYS.people, KEYS.me].map((queryKey) => queryClient.invalidateQueries({ queryKey })))
}

export async function join(group: string, who: string): Promise<void> {
  await api.groups.join(group, who)
  await reread()
}

export async function leave(group: string, who: string): Promise<void> {
  await api.groups.leave(group, who)
  await reread()
}
