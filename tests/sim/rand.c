/* tests/sim/rand.c - splitmix64, which is small and the same on every machine, over a mixed key. */
#include "tests/sim/rand.h"

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

uint64_t
sim_rand(uint64_t seed, unsigned peer, enum sim_use use, uint64_t id)
{
	uint64_t z = mix(seed + 0x9e3779b97f4a7c15U);

	z = mix(z ^ (uint64_t)peer << 32 ^ (uint64_t)use);
	return mix(z + id * 0x9e3779b97f4a7c15U);
}

uint64_t
sim_rand_next(uint64_t *state)
{
	return mix(*state += 0x9e3779b97f4a7c15U);
}

uint32_t
sim_rand_below(uint64_t *state, uint32_t below)
{
	return (uint32_t)((sim_rand_next(state) >> 32) * below >> 32);
}

bool
sim_rand_happens(uint64_t *state, uint32_t per_mille)
{
	return sim_rand_below(state, 1000) < per_mille;
}
