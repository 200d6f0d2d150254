// What a store's guests may use: fermata::Limits.
#ifndef FERMATA_LIMITS_H_
#define FERMATA_LIMITS_H_

#include "fermata/core/limits.h"

#endif  // FERMATA_LIMITS_H_
