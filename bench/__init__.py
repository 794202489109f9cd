"""The figures of the README. Not part of the product; imports it as a user would."""
