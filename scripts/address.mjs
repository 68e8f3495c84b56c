// The public addresses of the project. All follow from `repository` in config/address.json, such as "https://github.com/OWNER/NAME". While
// it is null, no address is known: links stay relative, and messages name the command that explains them.
import address from '../config/address.json' with { type: 'json' }

/** @type {string | null} */
const configured = address.repository

/**
 * Returns the addresses of a repository, or `null` while there is none.
 * @param {string | null} repository
 */
export function addressesOf(repository) {
  if (repository === null) return null
  if (!/^https:\/\/[\w.-]+\/[\w.-]+\/[\w.-]+$/.test(repository) || repository.endsWith('.git'))
    throw new Error(`"repository" in config/address.json must be https://HOST/OWNER/NAME. It is ${repository}.`)
  return {
    /** The fields of package.json. */
    manifest: {
      homepage: `${repository}#readme`,
      repository: { type: 'git', url: `git+${repository}.git` },
      bugs: { url: `${repository}/issues` },
    },
    /** The page of a file. For a picture, the picture itself. @param {string} path */
    file: (path) => `${repository}/${/\.(png|svg)$/.test(path) ? 'raw' : 'blob'}/main/${path}`,
    /** @param {string} path */
    edit: (path) => `${repository}/edit/main/${path}`,
    /** The page with a section for every error code. */
    errorsPage: `${repository}/blob/main/docs/reference/errors.md`,
  }
}

/** The addresses of this project. */
export const addresses = addressesOf(configured)
