package responses

import (
	"math"
	"strconv"
	"strings"
)

// float is the number as one of 64 bits with a fraction, as serde_json finds it
// without its feature float_roundtrip: by arithmetic that may be off in the last
// place. used is how much of the exponent was read; ok is false when the number
// is out of range.
func (n numeral) float() (f float64, used int, ok bool) {
	significand, exponent := n.significand()
	power, used, ok := n.power()
	switch {
	case !ok && significand != 0 && power > 0:
		return 0, used, false
	case !ok:
		return n.signed(0), used, true
	}
	f, ok = scaled(float64(significand), exponent+power)
	return n.signed(f), used, ok
}

func (n numeral) signed(f float64) float64 {
	if n.negative {
		return math.Copysign(f, -1)
	}
	return f
}

// significand returns the digits that fit into 64 bits, and the power of ten
// that they are to be taken times.
func (n numeral) significand() (significand uint64, exponent int) {
	for i := range len(n.whole) {
		next, ok := withDigit(significand, n.whole[i])
		if !ok {
			exponent = len(n.whole) - i
			break
		}
		significand = next
	}
	for i := range len(n.fraction) {
		next, ok := withDigit(significand, n.fraction[i])
		if !ok {
			break
		}
		significand = next
		exponent--
	}
	return significand, exponent
}

func withDigit(value uint64, c byte) (uint64, bool) {
	digit := uint64(c - '0')
	if value > (math.MaxUint64-digit)/10 {
		return 0, false
	}
	return value*10 + digit, true
}

// power reads the exponent. When it exceeds 31 bits, ok is false, used is what
// was read until then, and power has its sign.
func (n numeral) power() (power, used int, ok bool) {
	if n.exponent == "" {
		return 0, 0, true
	}
	used, sign, value := 1, 1, int64(0)
	switch n.exponent[used] {
	case '-':
		used, sign = 2, -1
	case '+':
		used = 2
	}
	for ; used < len(n.exponent); used++ {
		value = value*10 + int64(n.exponent[used]-'0')
		if value > math.MaxInt32 {
			return sign, used + 1, false
		}
	}
	return sign * int(value), used, true
}

// maxPower is the largest power of ten of 64 bits.
const maxPower = 308

// scaled returns f times a power of ten, rounded after each step.
func scaled(f float64, power int) (float64, bool) {
	for power < -maxPower && f != 0 {
		f /= powerOfTen(maxPower)
		power += maxPower
	}
	switch {
	case f == 0:
		return 0, true
	case power > maxPower:
		return 0, false
	case power < 0:
		return f / powerOfTen(-power), true
	default:
		f *= powerOfTen(power)
		return f, !math.IsInf(f, 0)
	}
}

// powerOfTen is rounded correctly, which math.Pow10 is not.
func powerOfTen(power int) float64 {
	f, err := strconv.ParseFloat("1e"+strconv.Itoa(power), 64)
	if err != nil {
		return math.Inf(1)
	}
	return f
}

// floatText writes a number as serde_json does: with a fraction or an exponent,
// and no more digits than tell it from its neighbors.
func floatText(f float64, kept numbers) string {
	shortest := strconv.FormatFloat(math.Abs(f), 'e', -1, 64)
	mantissa, power, _ := strings.Cut(shortest, "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	exponent, err := strconv.Atoi(power)
	if err != nil {
		return shortest
	}
	text := ""
	if math.Signbit(f) {
		text = "-"
	}
	sign := ""
	if exponent > 0 && kept == numbersSigned {
		sign = "+"
	}
	// The decimal point stands after so many digits.
	switch point := exponent + 1; {
	case f == 0:
		return text + "0.0"
	case len(digits) <= point && point <= 16:
		return text + digits + strings.Repeat("0", point-len(digits)) + ".0"
	case 0 < point && point <= 16:
		return text + digits[:point] + "." + digits[point:]
	case -5 < point && point <= 0:
		return text + "0." + strings.Repeat("0", -point) + digits
	case len(digits) == 1:
		return text + digits + "e" + sign + strconv.Itoa(exponent)
	default:
		return text + digits[:1] + "." + digits[1:] + "e" + sign + strconv.Itoa(exponent)
	}
}
