import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline'
import { BlobServiceClient, newPipeline, type StoragePipelineOptions } from '@azure/storage-blob'
import { type GuardedAgents, guardedAgents } from '@postern/base/guarded-agents.ts'
import type { HostGuard } from '@postern/base/host-guard.ts'

/** What the SDK keeps to itself: by what the requests of a pipeline are sent. The tests see that it is used. */
interface PipelineInside {
  _coreHttpClient: HttpClient
}

/** The same service, reached only by connections that the guard has looked at, wherever it redirects to. */
export function guardedService(service: BlobServiceClient, options: StoragePipelineOptions, hosts: HostGuard): BlobServiceClient {
  const pipeline = newPipeline(service.credential, options)
  ;(pipeline as unknown as PipelineInside)._coreHttpClient = guardedClient(hosts)
  return new BlobServiceClient(service.url, pipeline)
}

function guardedClient(hosts: HostGuard): HttpClient {
  const agents: GuardedAgents = guardedAgents(hosts, { keepAlive: true })
  const plain = createDefaultHttpClient()
  return {
    sendRequest: async (request) => {
      const { hostname, protocol } = new URL(request.url)
      // Behind a proxy it is the proxy that resolves the name; what can be seen of the host is looked at all the same.
      hosts.check(hostname)
      const ours = request.agent === undefined || request.agent === agents.http || request.agent === agents.https
      if (ours) request.agent = protocol === 'https:' ? agents.https : agents.http
      return await plain.sendRequest(request)
    },
  }
}
