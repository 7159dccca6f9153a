import { Authority } from '../dist-test/helpers/certificates.js'
import type { ClientName } from './client-process.js'

const LOGIN_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule'
export const MECHANISM = 'SCRAM-SHA-512'
export const USER = 'service'
export const PASSWORD = 'open sesame'

/**
 * TLS with SCRAM on the clients' listener, and Kafka's own authorizer. Nodes and the admin client, on listeners of
 * their own, may do everything; the client may do what no ACL speaks of.
 */
export class Secured implements Disposable {
  private readonly authority = new Authority()
  readonly scramUsers = { [USER]: PASSWORD }

  /** Of every node. */
  get properties(): Record<string, string | boolean> {
    const { key, cert } = this.authority.issue()
    return {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': this.authority.file(`${key}${cert}`),
      'sasl.enabled.mechanisms': MECHANISM,
      [`listener.name.client.${MECHANISM.toLowerCase()}.sasl.jaas.config`]: `${LOGIN_MODULE} required;`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'allow.everyone.if.no.acl.found': true,
    }
  }

  clientOptions(client: ClientName): Record<string, unknown> {
    if (client !== 'millrace' && client !== 'java')
      throw new Error(`with TLS and SCRAM the rig has millrace and java, not ${client}`)
    return {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': MECHANISM,
      'sasl.jaas.config': `${LOGIN_MODULE} required username="${USER}" password="${PASSWORD}";`,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': this.authority.ca.certFile,
    }
  }

  [Symbol.dispose](): void {
    this.authority.remove()
  }
}
