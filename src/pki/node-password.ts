import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(
  scrypt as (
    password: string,
    salt: Buffer,
    length: number,
    options: object,
    done: (error: Error | null, key: Buffer) => void,
  ) => void,
);

/** `$1:<salt>:15:8:1:<hash>`, k3s' form: scrypt with N=2^15, r=8, p=1 and a 64-byte key. */
export async function hashNodePassword(password: string, salt: Buffer): Promise<string> {
  const key = await deriveKey(password, salt, 15, 8, 1);
  return `$1:${salt.toString('hex')}:15:8:1:${key.toString('base64').replace(/=+$/, '')}`;
}

/** Whether the password belongs to the hash; false also for a hash of another form. */
export async function verifyNodePassword(password: string, hash: string): Promise<boolean> {
  const [version, salt, logN, r, p, encoded] = hash.split(':');
  if (version !== '$1' || salt === undefined || encoded === undefined) return false;
  const wanted = Buffer.from(encoded, 'base64');
  const key = await deriveKey(
    password,
    Buffer.from(salt, 'hex'),
    Number(logN),
    Number(r),
    Number(p),
  );
  return key.length === wanted.length && timingSafeEqual(key, wanted);
}

function deriveKey(
  password: string,
  salt: Buffer,
  logN: number,
  r: number,
  p: number,
): Promise<Buffer> {
  return derive(password, salt, 64, { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r });
}
